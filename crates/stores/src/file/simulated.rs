//! A disk that loses power: what was not synced survives whole, in part, as zeros, or not at all.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Cursor};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use super::files::{Files, Name};

/// Is one simulated folder; clones share it, as handles of one machine do.
#[derive(Clone, Debug, Default)]
pub(super) struct SimulatedDisk(Arc<Mutex<Disk>>);

#[derive(Clone, Debug, Default)]
struct Disk {
    files: Vec<Content>,
    /// Says which file has which name, as programs see it.
    names: BTreeMap<Name, usize>,
    /// Says the same of the medium.
    durable_names: BTreeMap<Name, usize>,
    steps: u64,
    fault: Option<(u64, Fault)>,
    is_down: bool,
    neglect: Option<Neglect>,
    /// Holds what is to be added to the log after the checkpoint, under [`Neglect::Order`].
    late: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
struct Content {
    seen: Vec<u8>,
    durable: Vec<u8>,
    /// Holds what was done since the last sync.
    pending: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Append(Vec<u8>),
    Cut(usize),
}

/// Says what goes wrong at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The step does nothing and fails; what was to be synced is forgotten, as Linux forgets pages that it failed to write.
    Refuse,
    /// The step is carried out, an append only by half, and fails.
    Halfway,
    /// As `Halfway`, and the power fails.
    PowerLoss,
}

/// Says what a careless program would leave out, to see that the tests would notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Neglect {
    /// The checkpoint goes first, the log later.
    Order,
    SyncOf(Name),
    SyncOfFolder,
}

impl SimulatedDisk {
    pub(super) fn neglecting(neglect: Neglect) -> Self {
        let disk = Self::default();
        disk.0.lock().unwrap().neglect = Some(neglect);
        disk
    }

    /// Counts the steps so far: each change and each sync is one.
    pub(super) fn steps(&self) -> u64 {
        self.0.lock().unwrap().steps
    }

    /// Lets `fault` happen after `steps` further steps.
    pub(super) fn fail_after(&self, steps: u64, fault: Fault) {
        let mut disk = self.0.lock().unwrap();
        disk.fault = Some((disk.steps + steps, fault));
    }

    pub(super) fn is_down(&self) -> bool {
        self.0.lock().unwrap().is_down
    }

    /// Returns what a machine finds that starts now: of what was not synced, chance decides.
    pub(super) fn restart(&self, random: &mut fastrand::Rng) -> Self {
        let disk = self.0.lock().unwrap();
        let survive = |file: &Content, random: &mut fastrand::Rng| {
            let durable = file.after_power_loss(random);
            Content { seen: durable.clone(), durable, pending: Vec::new() }
        };
        let files = disk.files.iter().map(|file| survive(file, random)).collect();
        let both: BTreeSet<Name> = disk.names.keys().chain(disk.durable_names.keys()).copied().collect();
        let names: BTreeMap<Name, usize> = both
            .into_iter()
            .filter_map(|name| {
                let names = if random.bool() { &disk.names } else { &disk.durable_names };
                names.get(&name).map(|file| (name, *file))
            })
            .collect();
        let durable_names = names.clone();
        let neglect = disk.neglect;
        Self(Arc::new(Mutex::new(Disk { files, names, durable_names, neglect, ..Disk::default() })))
    }

    /// Counts a step and carries it out, unless its fault says otherwise.
    fn step(&self, name: Name, change: impl Fn(&mut Disk, usize, bool)) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        disk.check_power()?;
        let step = disk.steps;
        disk.steps += 1;
        let fault = disk.fault.filter(|(at, _)| *at == step).map(|(_, fault)| fault);
        let file = disk.file(name);
        match fault {
            None => {
                change(&mut disk, file, false);
                return Ok(());
            }
            Some(Fault::Refuse) => disk.files[file].pending.clear(),
            Some(Fault::Halfway) => change(&mut disk, file, true),
            Some(Fault::PowerLoss) => {
                change(&mut disk, file, true);
                disk.is_down = true;
            }
        }
        disk.fault = None;
        Err(io::Error::other("simulated fault"))
    }
}

impl Disk {
    fn check_power(&self) -> io::Result<()> {
        if self.is_down { Err(io::Error::other("no power")) } else { Ok(()) }
    }

    /// Returns the file of this name; makes it if need be.
    fn file(&mut self, name: Name) -> usize {
        if let Some(file) = self.names.get(&name) {
            return *file;
        }
        self.files.push(Content::default());
        self.names.insert(name, self.files.len() - 1);
        self.files.len() - 1
    }
}

impl Content {
    fn apply(bytes: &mut Vec<u8>, change: &Change) {
        match change {
            Change::Append(more) => bytes.extend_from_slice(more),
            Change::Cut(len) => bytes.truncate(*len),
        }
    }

    fn change(&mut self, change: Change) {
        Self::apply(&mut self.seen, &change);
        self.pending.push(change);
    }

    fn after_power_loss(&self, random: &mut fastrand::Rng) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for change in &self.pending {
            match (random.u8(..4), change) {
                (0, _) => break,
                (1, Change::Append(more)) => {
                    bytes.extend_from_slice(&more[..random.usize(..=more.len())]);
                    break;
                }
                (2, Change::Append(more)) => bytes.extend(more.iter().map(|_| 0)),
                (_, change) => Self::apply(&mut bytes, change),
            }
        }
        bytes
    }
}

impl Files for SimulatedDisk {
    fn path(&self, name: Name) -> PathBuf {
        PathBuf::from(name.as_str())
    }

    fn len(&mut self, name: Name) -> io::Result<Option<u64>> {
        let disk = self.0.lock().unwrap();
        disk.check_power()?;
        Ok(disk.names.get(&name).map(|file| disk.files[*file].seen.len() as u64))
    }

    fn read(&mut self, name: Name, from: u64) -> io::Result<Option<Box<dyn BufRead>>> {
        let disk = self.0.lock().unwrap();
        disk.check_power()?;
        let Some(file) = disk.names.get(&name) else { return Ok(None) };
        let mut cursor = Cursor::new(disk.files[*file].seen.clone());
        cursor.set_position(from);
        Ok(Some(Box::new(cursor)))
    }

    fn append(&mut self, name: Name, bytes: &[u8]) -> io::Result<()> {
        self.step(name, |disk, file, by_half| {
            if disk.neglect == Some(Neglect::Order) && name == Name::Log {
                disk.late.extend_from_slice(bytes);
                return;
            }
            let bytes = if by_half { &bytes[..bytes.len() / 2] } else { bytes };
            disk.files[file].change(Change::Append(bytes.to_vec()));
        })
    }

    fn cut(&mut self, name: Name, len: u64) -> io::Result<()> {
        self.step(name, |disk, file, _| disk.files[file].change(Change::Cut(usize::try_from(len).unwrap())))
    }

    fn remove(&mut self, name: Name) -> io::Result<()> {
        self.step(name, |disk, _, _| {
            disk.names.remove(&name);
        })
    }

    fn sync(&mut self, name: Name) -> io::Result<()> {
        self.step(name, |disk, file, by_half| {
            if !by_half && disk.neglect != Some(Neglect::SyncOf(name)) {
                let file = &mut disk.files[file];
                file.durable.clone_from(&file.seen);
                file.pending.clear();
            }
        })
    }

    fn rename(&mut self, from: Name, to: Name) -> io::Result<()> {
        self.step(from, |disk, file, _| {
            disk.names.remove(&from);
            disk.names.insert(to, file);
        })
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        disk.check_power()?;
        let step = disk.steps;
        disk.steps += 1;
        let fault = disk.fault.take_if(|(at, _)| *at == step);
        if let Some((_, fault)) = fault {
            disk.is_down = fault == Fault::PowerLoss;
            return Err(io::Error::other("simulated fault"));
        }
        if disk.neglect != Some(Neglect::SyncOfFolder) {
            disk.durable_names = disk.names.clone();
        }
        let late = core::mem::take(&mut disk.late);
        if let (Some(file), false) = (disk.names.get(&Name::Log).copied(), late.is_empty()) {
            disk.files[file].change(Change::Append(late));
        }
        Ok(())
    }
}
