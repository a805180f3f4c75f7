//! The simulated network: sign, verify, verify again from the anchors, and be lied to.

use std::fs;
use std::path::Path;

use nodewright::cardano::aggregator::{AggregatorClient, AggregatorOptions};
use nodewright::cardano::certificate::{CertificateHash, ChainEnd, FileAnchors};
use nodewright::cardano::sim::devnet::{Devnet, DevnetOptions};
use serde_json::json;

use crate::args::Args;
use crate::check::Check;
use crate::lies::Fault;
use crate::print::Printer;
use crate::verdict::{Finding, Verdict, explain};

/// Shows all of it, or one chain that is broken on purpose.
pub(crate) async fn run(args: &Args) -> Result<Verdict, String> {
    let (seed, epochs) = (args.demo.seed, args.demo.epochs);
    let mut devnet = Devnet::new(seed, DevnetOptions::default()).map_err(|error| error.to_string())?;
    devnet.run(epochs).map_err(|error| error.to_string())?;
    let server = devnet.serve().map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut demo = Demo {
        printer: Printer::new(args.json),
        check: Check::new(devnet.network(), args.threads),
        client: client(&server.url())?,
        devnet,
        folder: folder.path(),
    };
    demo.check.first_epoch = demo.devnet.chain().first().map(|genesis| genesis.epoch);
    demo.printer.headline(&format!(
        "A simulated Mithril network that signed {epochs} epochs with keys of its own (seed {seed}); its aggregator is \
         {}",
        server.url()
    ));
    match args.demo.fault {
        Some(fault) => demo.broken(fault).await,
        None => demo.all().await,
    }
}

/// Holds the network and what verifies it.
#[derive(Debug)]
struct Demo<'a> {
    printer: Printer,
    check: Check,
    client: AggregatorClient,
    devnet: Devnet,
    folder: &'a Path,
}

impl Demo<'_> {
    async fn all(&mut self) -> Result<Verdict, String> {
        let mut problems = Vec::new();
        let anchors = FileAnchors::new(self.folder.join("anchors.json"));
        self.printer.headline("From the newest certificate to the genesis");
        if let Some(problem) = self.whole(&anchors).await? {
            problems.push(problem);
        }
        self.devnet.run(NEW_EPOCHS).map_err(|error| error.to_string())?;
        self.printer.headline(&format!("{NEW_EPOCHS} epochs later, from what was verified before"));
        if let Some(problem) = self.resumed(&anchors).await? {
            problems.push(problem);
        }
        self.printer.headline("Three lies");
        for fault in LIES {
            if let Some(problem) = self.lie(fault).await? {
                problems.push(problem);
            }
        }
        for problem in &problems {
            self.printer.data(&json!({ "event": "problem", "text": problem }), &format!("WRONG      {problem}"));
        }
        let right = problems.is_empty();
        let text = if right { "the true chain was verified, and every lie was found out" } else { "this went wrong" };
        self.printer.data(&json!({ "event": "end", "right": right }), &format!("\n{text}"));
        Ok(if right { Verdict::Verified } else { Verdict::Broken })
    }

    /// Verifies the whole chain; returns what went wrong.
    async fn whole(&self, anchors: &FileAnchors) -> Result<Option<String>, String> {
        let chain = self.devnet.chain();
        let report = match self.check.run(&self.client, self.tip()?, Some(anchors)).await {
            Ok(report) => report,
            Err(error) => return Ok(Some(format!("the true chain was refused: {error}"))),
        };
        self.printer.verified(&report, true);
        let genesis = chain.first().map(|genesis| ChainEnd::Genesis(genesis.hash));
        let counts = (report.checked, report.links, report.multi_signatures);
        let new = chain.len().saturating_sub(1);
        if Some(report.chain.end) == genesis && counts == (chain.len(), new, new) {
            return Ok(None);
        }
        Ok(Some(format!("of {} certificates, (checked, links, signatures) are {counts:?}", chain.len())))
    }

    /// Verifies what is new since; returns what went wrong.
    async fn resumed(&self, anchors: &FileAnchors) -> Result<Option<String>, String> {
        let report = match self.check.run(&self.client, self.tip()?, Some(anchors)).await {
            Ok(report) => report,
            Err(error) => return Ok(Some(format!("the resumed chain was refused: {error}"))),
        };
        self.printer.verified(&report, false);
        let (checked, all) = (report.checked, self.devnet.chain().len());
        self.printer.remark(&format!("{checked} of {all} certificates had to be checked"));
        let expected = u64::try_from(checked).is_ok_and(|checked| checked == NEW_EPOCHS);
        Ok((!expected).then(|| format!("{checked} certificates were checked, not the {NEW_EPOCHS} new ones")))
    }

    /// Is told a lie; returns what went wrong. It starts without anchors: with them, the lie would not even be looked at.
    async fn lie(&self, fault: Fault) -> Result<Option<String>, String> {
        let path = self.folder.join("lie.json");
        let tip = fault.tell(&self.devnet)?;
        let outcome = self.check.run(&self.client, tip, Some(&FileAnchors::new(&path))).await;
        self.devnet.aggregator().heal();
        let stored = fs::exists(&path).map_err(|error| error.to_string())?;
        self.printer.data(&json!({ "event": "lie", "fault": fault.rule(), "stored": stored }), &told(fault));
        let Err(error) = outcome else { return Ok(Some(format!("{}: it was believed", fault.story()))) };
        let finding = Finding::of(&error);
        self.printer.refused(&finding);
        if stored {
            return Ok(Some(format!("{}: something was stored", fault.story())));
        }
        self.printer.remark("nothing was stored");
        let named = finding.rule == Some(fault.rule());
        Ok((!named).then(|| format!("{}: rule {:?}, not {:?}", fault.story(), finding.rule, fault.rule())))
    }

    /// Verifies one broken chain.
    async fn broken(&self, fault: Fault) -> Result<Verdict, String> {
        match self.lie(fault).await? {
            None => Ok(Verdict::Broken),
            Some(problem) => Err(problem),
        }
    }

    fn tip(&self) -> Result<CertificateHash, String> {
        self.devnet.chain().last().map(|tip| tip.hash).ok_or_else(|| "there is no certificate".to_owned())
    }
}

fn told(fault: Fault) -> String {
    format!("told       {}", fault.story())
}

fn client(url: &str) -> Result<AggregatorClient, String> {
    AggregatorClient::try_new(url, AggregatorOptions::default()).map_err(|error| explain(&error))
}

/// How many epochs are signed between the first verification and the second.
const NEW_EPOCHS: u64 = 2;
/// The lies that are always told.
const LIES: [Fault; 3] = [Fault::Hash, Fault::Loop, Fault::Gap];
