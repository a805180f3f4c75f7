//! The one place where a refusal becomes a kind and a retry advice. Status and code decide; text never does.

use core::time::Duration;

use nodewright_core::{Error, ErrorKind, Retry};

use crate::fault::{RpcFault, StatusFault};

/// Decides what a refusal means: HTTP `status`, the JSON-RPC error if the body held one, and `Retry-After`.
pub(crate) fn classify(status: u16, fault: Option<&RpcFault>, retry_after: Option<Duration>) -> (ErrorKind, Retry) {
    use ErrorKind::{
        Auth, Busy, Config, InvalidData, Limit, NotFound, OutOfRange, RateLimited, Rejected, Timeout, Unreachable,
        Unsupported, WarmingUp,
    };
    let later = Retry::After(retry_after);
    match (status, fault.map(|fault| fault.code)) {
        // What stands in front of the method table: a proxy or the node's door. No JSON-RPC code outweighs these.
        (300..=399, _) => (Config, Retry::Never),
        (401 | 403 | 407, _) => (Auth, Retry::Never),
        (429, _) => (RateLimited, later),

        // The node's own word.
        (_, Some(RPC_IN_WARMUP)) => (WarmingUp, later),
        (_, Some(RPC_INVALID_PARAMETER)) => (OutOfRange, Retry::Never),
        (_, Some(RPC_INVALID_ADDRESS_OR_KEY)) => (NotFound, Retry::Never),
        (_, Some(RPC_METHOD_NOT_FOUND | RPC_METHOD_DEPRECATED)) => (Unsupported, Retry::Never),
        (_, Some(_)) => (Rejected, Retry::Never),

        // No JSON-RPC error in the body: the status speaks alone.
        (404 | 410, None) => (NotFound, Retry::Never),
        (408, None) => (Timeout, later),
        (413, None) => (Limit, Retry::Never),
        (416, None) => (OutOfRange, Retry::Never),
        (501, None) => (Unsupported, Retry::Never),
        (502 | 504, None) => (Unreachable, later),
        // A full work queue is plain text under 500 (litecoind 0.21) or 503 (Dash 22, newer Core); a warming REST
        // server is plain text under 503 too, and only its words could tell the two apart.
        (500..=599, None) => (Busy, later),
        (400..=499, None) => (Rejected, Retry::Never),
        _ => (InvalidData, Retry::Never),
    }
}

/// Makes the error for a JSON-RPC fault.
pub(crate) fn fault_error(op: &'static str, fault: RpcFault, retry_after: Option<Duration>) -> Error {
    let (kind, retry) = classify(fault.status, Some(&fault), retry_after);
    Error::new(kind, op).with_retry(retry).because(fault)
}

/// Makes the error for a refusal without a JSON-RPC fault.
pub(crate) fn status_error(op: &'static str, fault: StatusFault, retry_after: Option<Duration>) -> Error {
    let (kind, retry) = classify(fault.status, None, retry_after);
    Error::new(kind, op).with_retry(retry).because(fault)
}

// Codes as in Bitcoin Core `src/rpc/protocol.h` (Litecoin 0.21 and Dash 22 have the same).

/// Block, transaction or address not known.
const RPC_INVALID_ADDRESS_OR_KEY: i64 = -5;
/// Height above the tip; also a hash of a wrong length.
const RPC_INVALID_PARAMETER: i64 = -8;
/// The node is starting.
const RPC_IN_WARMUP: i64 = -28;
/// The method is there but switched off as outdated.
const RPC_METHOD_DEPRECATED: i64 = -32;
/// JSON-RPC 2.0: method not found.
const RPC_METHOD_NOT_FOUND: i64 = -32601;

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorKind::*;

    fn decide(status: u16, code: Option<i64>) -> (ErrorKind, Retry) {
        let fault = code.map(|code| RpcFault::new(status, code, String::new()));
        classify(status, fault.as_ref(), None)
    }

    const LATER: Retry = Retry::After(None);

    #[test]
    fn every_row_of_the_error_table_has_its_kind_and_advice() {
        let table: &[(u16, Option<i64>, ErrorKind, Retry)] = &[
            // JSON-RPC errors, under each status a node sends them with.
            (500, Some(-8), OutOfRange, Retry::Never),
            (200, Some(-8), OutOfRange, Retry::Never),
            (500, Some(-5), NotFound, Retry::Never),
            (200, Some(-5), NotFound, Retry::Never),
            (500, Some(-28), WarmingUp, LATER),
            (200, Some(-28), WarmingUp, LATER),
            (503, Some(-28), WarmingUp, LATER),
            (404, Some(-32601), Unsupported, Retry::Never),
            (200, Some(-32601), Unsupported, Retry::Never),
            (500, Some(-32), Unsupported, Retry::Never),
            (500, Some(-1), Rejected, Retry::Never),
            (500, Some(-3), Rejected, Retry::Never),
            (500, Some(-20), Rejected, Retry::Never),
            (500, Some(-25), Rejected, Retry::Never),
            (500, Some(-26), Rejected, Retry::Never),
            (500, Some(-27), Rejected, Retry::Never),
            (500, Some(-33), Rejected, Retry::Never),
            (500, Some(-32603), Rejected, Retry::Never),
            (500, Some(-32700), Rejected, Retry::Never),
            (400, Some(-32600), Rejected, Retry::Never),
            (500, Some(i64::MIN), Rejected, Retry::Never),
            // Refusals by status alone.
            (500, None, Busy, LATER),
            (503, None, Busy, LATER),
            (599, None, Busy, LATER),
            (401, None, Auth, Retry::Never),
            (403, None, Auth, Retry::Never),
            (407, None, Auth, Retry::Never),
            (404, None, NotFound, Retry::Never),
            (405, None, Rejected, Retry::Never),
            (400, None, Rejected, Retry::Never),
            (408, None, Timeout, LATER),
            (413, None, Limit, Retry::Never),
            (416, None, OutOfRange, Retry::Never),
            (429, None, RateLimited, LATER),
            (501, None, Unsupported, Retry::Never),
            (502, None, Unreachable, LATER),
            (504, None, Unreachable, LATER),
            (301, None, Config, Retry::Never),
            (204, None, InvalidData, Retry::Never),
            (600, None, InvalidData, Retry::Never),
            // The door outweighs what stands in the body.
            (401, Some(-28), Auth, Retry::Never),
            (403, Some(-28), Auth, Retry::Never),
            (429, Some(-8), RateLimited, LATER),
        ];
        for &(status, code, kind, retry) in table {
            assert_eq!(decide(status, code), (kind, retry), "status {status}, code {code:?}");
        }
    }

    #[test]
    fn retry_after_is_passed_on_where_retrying_can_help_and_nowhere_else() {
        let wait = Some(Duration::from_secs(7));
        assert_eq!(classify(429, None, wait).1, Retry::After(wait));
        assert_eq!(classify(503, None, wait).1, Retry::After(wait));
        assert_eq!(classify(400, None, wait).1, Retry::Never);
    }
}
