//! What one answer says about versions, in each of the three regimes.

use nodewright_core::api::{
    Silence, VersionAnswer, VersionHeaderError, VersionRule, VersionVerdict, parse_version_header,
};
use nodewright_core::{Error, ErrorKind};

use super::version;

fn judge(status: u16, is_empty: bool, header: Option<&str>, silence: Silence) -> Result<VersionVerdict, String> {
    let answer = VersionAnswer { status, is_empty, header: header.map(str::as_bytes) };
    VersionVerdict::of(&VersionRule::Series(version("0.1.69")), answer, silence).map_err(|error| error.to_string())
}

fn agreed(theirs: &str) -> Result<VersionVerdict, String> {
    Ok(VersionVerdict::Agreed { theirs: version(theirs) })
}

fn accepted(theirs: &str, warn: bool) -> Result<VersionVerdict, String> {
    Ok(VersionVerdict::Accepted { theirs: version(theirs), warn })
}

fn other(theirs: Option<&str>) -> Result<VersionVerdict, String> {
    Ok(VersionVerdict::TryOther { theirs: theirs.map(version) })
}

#[test]
fn an_answer_is_judged_as_the_table_says() {
    use Silence::{Accept, Refuse};
    let malformed = |text: &str| Err(format!("version header is no semantic version: {text:?}"));
    let unreported =
        || Err("answer states no version: let proxies pass the version header on, or accept silence".to_owned());
    let table = [
        // Enforced: refused with 412, no body, and the server's version.
        ((412, true, Some("0.2.0"), Refuse), other(Some("0.2.0"))),
        ((412, true, Some("0.1.69"), Refuse), other(Some("0.1.69"))),
        ((412, true, None, Refuse), other(None)),
        ((412, true, Some("new"), Accept), malformed("new")),
        // A 412 with a body is a route's own.
        ((412, false, Some("0.1.69"), Refuse), agreed("0.1.69")),
        ((412, false, None, Accept), Ok(VersionVerdict::Silent)),
        // Warn only: answered whatever was sent.
        ((200, false, Some("0.1.69"), Refuse), agreed("0.1.69")),
        ((200, false, Some("0.1.12"), Refuse), agreed("0.1.12")),
        ((200, false, Some("0.1.71"), Refuse), accepted("0.1.71", true)),
        ((200, false, Some("0.2.0"), Refuse), accepted("0.2.0", true)),
        ((200, false, Some("1.0.0"), Refuse), accepted("1.0.0", true)),
        ((200, false, Some("0.0.9"), Refuse), accepted("0.0.9", false)),
        ((404, true, Some("0.1.69"), Refuse), agreed("0.1.69")),
        ((204, true, Some("0.1.69+5d5571e"), Refuse), agreed("0.1.69+5d5571e")),
        ((550, true, Some(" 0.1.69\t"), Refuse), agreed("0.1.69")),
        // Silent.
        ((200, false, None, Accept), Ok(VersionVerdict::Silent)),
        ((200, false, None, Refuse), unreported()),
        ((500, true, None, Refuse), unreported()),
        // Malformed, never taken for silence.
        ((200, false, Some(""), Accept), malformed("")),
        ((200, false, Some("0.1"), Accept), malformed("0.1")),
        ((200, false, Some("v0.1.69"), Accept), malformed("v0.1.69")),
        ((200, false, Some("0.1.69, 0.1.70"), Accept), malformed("0.1.69, 0.1.70")),
        ((200, false, Some("0.1.99999999999999999999"), Accept), malformed("0.1.99999999999999999999")),
    ];
    for ((status, is_empty, header, silence), expected) in table {
        assert_eq!(judge(status, is_empty, header, silence), expected, "{status} {is_empty} {header:?} {silence:?}");
    }
}

#[test]
fn a_long_or_binary_header_is_refused_with_its_beginning() {
    let padded = [b"0.1.69+".as_slice(), &[b'a'; 250]].concat();
    assert!(parse_version_header(&padded[..256]).is_ok());
    for header in [padded, vec![b'9'; 100_000], vec![0xff; 3], b"0.1.69\r\nx".to_vec()] {
        let error = parse_version_header(&header).unwrap_err();
        assert!(matches!(&error, VersionHeaderError::Malformed { text } if text.len() <= 768), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
        assert_eq!(Error::from(error).kind(), ErrorKind::InvalidData);
    }
}

#[test]
fn the_verdict_tells_what_the_server_states() {
    for (status, header) in [(200, Some("0.1.0")), (200, Some("9.0.0")), (412, Some("0.2.0")), (412, None), (200, None)]
    {
        let verdict = judge(status, true, header, Silence::Accept).unwrap();
        assert_eq!(verdict.theirs(), header.map(version).as_ref());
    }
}
