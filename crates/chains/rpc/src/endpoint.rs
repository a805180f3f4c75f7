//! Where a node answers, without the secrets an operator may have put into its URL.

use core::fmt;

use nodewright_core::{Error, ErrorKind, Result, Secret};
use url::Url;

use crate::auth::Auth;
use crate::redact::{REDACTED, Scrub};

/// Names where a node answers: scheme, host, port, path and query, never a user or password.
///
/// `Display` and `Debug` show what helps an operator and hide what may be a key: every query value, every path segment
/// that is not a short plain word, and long host labels that mix letters and digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
}

impl Endpoint {
    /// Parses a URL; a user and password in it become [`Auth::Basic`], their percent-encoding undone.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] if the text is not an `http` (or, with the feature `tls`, `https`) URL with a host, or
    /// has a fragment. The text itself is never repeated, because it may hold a password.
    pub fn parse(text: &str) -> Result<(Self, Auth)> {
        let refuse = |reason: &dyn fmt::Display| Error::new(ErrorKind::Config, "endpoint").with("url", reason);
        let mut url = Url::parse(text.trim()).map_err(|error| refuse(&error))?;
        match url.scheme() {
            "http" => {}
            "https" if cfg!(feature = "tls") => {}
            "https" => return Err(refuse(&"https needs the feature `tls`")),
            _ => return Err(refuse(&"the scheme is neither http nor https")),
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(refuse(&"no host"));
        }
        if url.fragment().is_some() {
            return Err(refuse(&"a fragment (#) names no endpoint"));
        }
        let auth = if url.username().is_empty() && url.password().is_none() {
            Auth::None
        } else {
            let decode = |text: &str| percent_decode(text).ok_or_else(|| refuse(&"bad percent-encoding of the user"));
            let user = decode(url.username())?;
            let password = decode(url.password().unwrap_or_default())?;
            Auth::Basic { user, password: Secret::new(password) }
        };
        let cleared = url.set_username("").and_then(|()| url.set_password(None));
        cleared.map_err(|()| refuse(&"the user cannot be taken out"))?;
        Ok((Self { url }, auth))
    }

    /// Returns the URL that calls are posted to.
    pub(crate) fn url(&self) -> Url {
        self.url.clone()
    }

    /// Returns what `path` names below this endpoint.
    pub(crate) fn below(&self, path: &str) -> Self {
        Self { url: self.join(path) }
    }

    /// Returns the URL of `path` below this endpoint; a query of the endpoint is kept behind the path's own.
    pub(crate) fn join(&self, path: &str) -> Url {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let mut url = self.url.clone();
        let base = self.url.path().trim_end_matches('/');
        let slash = if path.starts_with('/') { "" } else { "/" };
        url.set_path(&format!("{base}{slash}{path}"));
        let queries: Vec<&str> = query.into_iter().chain(self.url.query()).filter(|query| !query.is_empty()).collect();
        url.set_query((!queries.is_empty()).then(|| queries.join("&")).as_deref());
        url
    }

    /// Says whether both name the same scheme, host and port.
    pub(crate) fn shares_origin(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin()
    }

    pub(crate) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Returns what must not appear in text that a server sends back.
    pub(crate) fn scrub(&self) -> Scrub {
        let mut scrub = Scrub::default();
        for segment in self.url.path().split('/').filter(|segment| !is_plain(segment)) {
            scrub.add(segment);
            scrub.add(&percent_decode(segment).unwrap_or_default());
        }
        for (_, value) in self.url.query_pairs() {
            scrub.add(&value);
        }
        for (_, value) in raw_pairs(self.url.query().unwrap_or_default()) {
            scrub.add(value);
        }
        for label in self.url.host_str().unwrap_or_default().split('.').filter(|label| is_key_label(label)) {
            scrub.add(label);
        }
        scrub
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.url.scheme())?;
        for (index, label) in self.url.host_str().unwrap_or_default().split('.').enumerate() {
            let label = if is_key_label(label) { REDACTED } else { label };
            write!(f, "{}{label}", if index == 0 { "" } else { "." })?;
        }
        if let Some(port) = self.url.port() {
            write!(f, ":{port}")?;
        }
        for segment in self.url.path().split('/').skip(1) {
            write!(f, "/{}", if is_plain(segment) { segment } else { REDACTED })?;
        }
        for (index, (name, _)) in raw_pairs(self.url.query().unwrap_or_default()).enumerate() {
            let name = if is_plain(name) { name } else { REDACTED };
            write!(f, "{}{name}={REDACTED}", if index == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// Says whether a path segment or query name is shown: up to four characters (`v2`, `C`), or up to twenty of lower-case
/// letters and `-_.` (`rest`, `wallet`). Anything else may be a key.
fn is_plain(segment: &str) -> bool {
    segment.len() <= 4
        || (segment.len() <= 20 && segment.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'-' | b'_' | b'.')))
}

/// Says whether a host label may be a key, as hosted nodes use them: twenty or more characters with a digit.
fn is_key_label(label: &str) -> bool {
    label.len() >= 20 && label.bytes().any(|b| b.is_ascii_digit()) && label.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Splits a query into names and values without undoing their encoding; a part without `=` is all value.
fn raw_pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|part| !part.is_empty()).map(|part| part.split_once('=').unwrap_or(("", part)))
}

/// Undoes percent-encoding; `None` if an escape is malformed or the result is not UTF-8.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            let high = digit(rest.next()?)?;
            let low = digit(rest.next()?)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let (endpoint, _) = Endpoint::parse(text).unwrap();
        assert_eq!(format!("{endpoint:?}"), format!("Endpoint({endpoint})"));
        endpoint.to_string()
    }

    #[test]
    fn userinfo_becomes_basic_auth_and_leaves_the_url() {
        let (endpoint, auth) = Endpoint::parse("http://al%40ice:p%3Ass@localhost:9998/").unwrap();
        assert_eq!(endpoint.to_string(), "http://localhost:9998/");
        assert_eq!(endpoint.url().as_str(), "http://localhost:9998/");
        let Auth::Basic { user, password } = auth else { panic!("{auth:?}") };
        assert_eq!((user.as_str(), password.expose().as_str()), ("al@ice", "p:ss"));
    }

    #[test]
    fn a_url_without_userinfo_has_no_auth() {
        assert!(matches!(Endpoint::parse("http://localhost:1").unwrap().1, Auth::None));
    }

    #[test]
    fn plain_words_are_shown_and_what_may_be_a_key_is_not() {
        assert_eq!(shown("http://127.0.0.1:8332/wallet/my-wallet"), "http://127.0.0.1:8332/wallet/my-wallet");
        assert_eq!(shown("http://n.example/v3/0123456789abcdef0123456789abcdef"), "http://n.example/v3/…");
        assert_eq!(shown("http://n.example/v2/AbC-dEf_GhIjKlMnOpQrStUvWxYz"), "http://n.example/v2/…");
        assert_eq!(shown("http://n.example/ext/bc/C/rpc"), "http://n.example/ext/bc/C/rpc");
        assert_eq!(shown("http://n.example/a1b2c/"), "http://n.example/…/");
        assert_eq!(shown("http://n.example/?apikey=12&S3CR3T&q=1"), "http://n.example/?apikey=…&=…&q=…");
        assert_eq!(shown("http://0123456789abcdef01234567.n.example/"), "http://….n.example/");
        assert_eq!(shown("http://[::1]:80/"), "http://[::1]/");
    }

    #[test]
    fn an_error_never_repeats_the_url() {
        for text in
            ["http://u:hunter2@", "ftp://u:hunter2@h/", "http://u:hunter2@h:99999/", "hunter2", "http://u:hunter2@h/#f"]
        {
            let error = Endpoint::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{text}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
        let error = Endpoint::parse("http://%ff:hunter2@h/").unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"), "{error}");
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn https_without_the_feature_says_which_feature() {
        assert!(Endpoint::parse("https://h/").unwrap_err().to_string().contains("`tls`"));
    }

    #[cfg(feature = "tls")]
    #[tokio::test]
    async fn https_with_the_feature_makes_a_client() {
        let (endpoint, auth) = Endpoint::parse("https://node.example/").unwrap();
        crate::HttpClient::try_new(endpoint, auth, crate::HttpOptions::default()).unwrap();
    }

    #[test]
    fn paths_are_joined_below_the_endpoint_and_its_query_is_kept() {
        let join = |base: &str, path: &str| Endpoint::parse(base).unwrap().0.join(path).to_string();
        assert_eq!(join("http://h/", "/rest/chaininfo.json"), "http://h/rest/chaininfo.json");
        assert_eq!(join("http://h/key/", "rest/x?count=5"), "http://h/key/rest/x?count=5");
        assert_eq!(join("http://h/?k=1", "/a?b=2"), "http://h/a?b=2&k=1");
        assert_eq!(join("http://h/", "//evil.example/@x"), "http://h//evil.example/@x");
    }

    #[test]
    fn the_scrub_knows_keys_of_path_query_and_host() {
        let (endpoint, _) = Endpoint::parse("http://0123456789abcdef01234567.h/v2/KEYKEY9?token=t0k%2Fen").unwrap();
        let text = "at 0123456789abcdef01234567.h/v2/KEYKEY9?token=t0k%2Fen or t0k/en";
        assert_eq!(endpoint.scrub().excerpt(text, 99), "at ….h/v2/…?token=… or …");
    }
}
