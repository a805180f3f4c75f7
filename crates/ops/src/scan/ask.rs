//! The first lane: carries the core's requests to the sources.

use futures_util::future::BoxFuture;
use nodewright_core::policy::Stage;
use nodewright_core::{
    ChainAdapter, Evidence, Extension, Membership, Reply, RequestId, Result, ScanRequest, TxFate, TxId,
};

/// Is a request under way.
pub(crate) type Asking<'a> = BoxFuture<'a, Answered>;

/// Holds the answer to one request.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) id: RequestId,
    pub(crate) stage: Stage,
    pub(crate) answer: Result<Answer>,
}

/// Owns what a [`Reply`] borrows.
#[derive(Debug)]
pub(crate) enum Answer {
    Evidence(Vec<Evidence>),
    Extension(Extension),
    Membership(Membership),
}

impl Answer {
    pub(crate) fn as_reply(&self) -> Reply<'_> {
        match self {
            Self::Evidence(evidence) => Reply::Evidence(evidence),
            Self::Extension(extension) => Reply::Extend(extension),
            Self::Membership(membership) => Reply::Membership(*membership),
        }
    }
}

/// Begins to carry out `request`.
pub(crate) fn ask<'a>(adapter: &'a ChainAdapter, id: RequestId, request: ScanRequest<'_>) -> Asking<'a> {
    match request {
        ScanRequest::Evidence { window } => {
            let window = window.to_vec();
            Box::pin(async move {
                let answer = match &adapter.evidence {
                    Some(source) => source.evidence(&window).await,
                    None => Ok(Vec::new()),
                };
                Answered { id, stage: Stage::Evidence, answer: answer.map(Answer::Evidence) }
            })
        }
        ScanRequest::Extend { locator, max } => {
            let locator = locator.to_vec();
            Box::pin(async move {
                let answer = adapter.headers.extend(&locator, max).await.map(Answer::Extension);
                Answered { id, stage: Stage::Headers, answer }
            })
        }
        ScanRequest::Membership { point } => Box::pin(async move {
            let answer = adapter.headers.membership(&point).await.map(Answer::Membership);
            Answered { id, stage: Stage::Headers, answer }
        }),
    }
}

/// Is a round of questions after removed transactions.
pub(crate) type Enquiry<'a> = BoxFuture<'a, Vec<(TxId, Result<TxFate>)>>;

/// Begins to ask where `txids` are, one after the other.
pub(crate) fn enquire(adapter: &ChainAdapter, txids: Vec<TxId>) -> Option<Enquiry<'_>> {
    let source = adapter.transactions.as_ref()?;
    Some(Box::pin(async move {
        let mut answers = Vec::with_capacity(txids.len());
        for txid in txids {
            let fate = source.fate(&txid).await;
            answers.push((txid, fate));
        }
        answers
    }))
}
