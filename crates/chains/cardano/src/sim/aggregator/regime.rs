//! How a simulated aggregator treats API versions.

use nodewright_core::api::{Version, VersionRule};
use nodewright_testkit::loopback::Response;

use super::contents::API_VERSION;

/// Says how versions are treated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SimRegime {
    /// A version that the rule does not accept is refused with status 412 and an empty body; the header states the rule's
    /// own version. As aggregators did until the middle of 2025.
    Enforce(VersionRule),
    /// Every version is answered, and the header is left out, as by a proxy that drops it.
    Silent,
    /// As [`SimRegime::Enforce`], and the header is left out.
    SilentlyEnforce(VersionRule),
    /// Every version is answered, and the header states this one. As aggregators do since.
    Warn(Version),
}

/// The regime of today, at the version that this crate speaks.
impl Default for SimRegime {
    fn default() -> Self {
        Self::Warn(Version::new(0, 1, 71))
    }
}

impl SimRegime {
    /// Returns the refusal of a request with this header, if it is to be refused.
    pub(super) fn refusal(&self, header: Option<&str>) -> Option<Response> {
        let (Self::Enforce(rule) | Self::SilentlyEnforce(rule)) = self else { return None };
        match Version::parse(header?) {
            Ok(version) if rule.accepts(&version) => None,
            Ok(_) => Some(Response::new(412, "")),
            Err(_) => Some(super::refusal(500, "", "unreadable version")),
        }
    }

    /// Adds the header.
    pub(super) fn sign(&self, response: Response) -> Response {
        match self {
            Self::Enforce(rule) => response.with_header(API_VERSION, rule.own().to_string()),
            Self::Warn(version) => response.with_header(API_VERSION, version.to_string()),
            Self::Silent | Self::SilentlyEnforce(_) => response,
        }
    }
}
