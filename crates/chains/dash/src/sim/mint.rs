//! Makes the blocks of a simulated Dash chain.

use nodewright_core::BlockHash;
use nodewright_testkit::sim::{Draft, Mint, Minted, SimBlock};

use crate::chainlock::ChainLock;
use crate::sim::build;
use crate::x11;

/// Makes blocks out of the transactions that wait, and lets each coinbase carry the best ChainLock there is.
#[derive(Debug, Default)]
pub struct DashMint {
    waiting: Vec<Vec<u8>>,
    lock: Option<ChainLock>,
}

/// Holds a block as it goes over the wire.
#[derive(Clone, Debug)]
pub struct DashBody {
    /// Is the serialized block.
    pub raw: Vec<u8>,
}

impl DashMint {
    /// Puts a transaction into the next block.
    pub fn queue(&mut self, raw: Vec<u8>) {
        self.waiting.push(raw);
    }

    /// Sets the lock that the next coinbases carry.
    pub fn carry(&mut self, lock: Option<ChainLock>) {
        self.lock = lock;
    }
}

impl Mint for DashMint {
    type Body = DashBody;

    fn mint(&mut self, parent: Option<&SimBlock<DashBody>>, draft: Draft) -> Minted<DashBody> {
        let raw = match parent {
            None => hex::decode(REGTEST_GENESIS).unwrap_or_default(),
            Some(parent) => self.block(parent, draft),
        };
        let header = raw.get(..80).unwrap_or_default();
        Minted { hash: BlockHash(x11(header)), body: DashBody { raw } }
    }
}

impl DashMint {
    fn block(&mut self, parent: &SimBlock<DashBody>, draft: Draft) -> Vec<u8> {
        let height = u32::try_from(draft.height.0).unwrap_or(u32::MAX);
        let lock = self.lock.as_ref().filter(|lock| lock.height < height);
        let reward = vec![(REWARD, build::pay_to([0x33; 20])), (REWARD, build::pay_to([0x44; 20]))];
        let mut transactions = vec![build::coinbase(height, draft.nonce, reward, lock)];
        transactions.append(&mut self.waiting);
        let time = u32::try_from(draft.time.0).unwrap_or(u32::MAX);
        let [a, b, c, d, ..] = draft.nonce.to_le_bytes();
        let nonce = u32::from_le_bytes([a, b, c, d]);
        build::block(parent.id().hash.0, time, nonce, &transactions).unwrap_or_default()
    }
}

/// Is half of what a simulated block pays its producer, in duffs; any number would do.
const REWARD: u64 = 115_000_000;

/// Is the genesis block of a Dash regtest, as a node serves it (own recording, block 0 of `dash-regtest`).
const REGTEST_GENESIS: &str = "010000000000000000000000000000000000000000000000000000000000000000000000c762a6567f3cc092f0684bb62b7e00a84890b990f07cc71a6bb58d64b98e02e0b9968054ffff7f20ffba10000101000000010000000000000000000000000000000000000000000000000000000000000000ffffffff6204ffff001d01044c5957697265642030392f4a616e2f3230313420546865204772616e64204578706572696d656e7420476f6573204c6976653a204f76657273746f636b2e636f6d204973204e6f7720416363657074696e6720426974636f696e73ffffffff0100f2052a010000004341040184710fa689ad5023690c80f3a49c8f13f8d45b8c857fbcbc8bc4a8e4d3eb4b10f4d4604fa08dce601aaf0f470216fe1b51850b4acf21b179c45070ac7b03a9ac00000000";
