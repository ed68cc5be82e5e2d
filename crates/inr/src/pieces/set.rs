//! The networks of all pieces, in memory or in a file.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use vi3nr::Network;

use super::grid::PieceGrid;
use crate::model_file::Storage;

/// The networks that together represent a signal, one for each piece.
///
/// The parameters may stay in the file from which the set was read, so that a model can be larger
/// than memory. Copies share that file.
#[derive(Clone)]
pub struct PieceSet {
    grid: PieceGrid,
    /// The number of samples of the signal along each axis.
    axes: Vec<usize>,
    /// The distinct networks.
    networks: Vec<Network>,
    /// The index of each piece's network among them.
    kinds: Vec<u32>,
    store: Arc<Store>,
}

/// The storage of the parameters.
enum Store {
    Memory(Vec<Vec<f32>>),
    File { path: PathBuf, file: Mutex<File>, storage: Storage, places: Places },
}

/// The layout of the parameters of each piece in a file, as offsets in bytes from its start.
pub(crate) enum Places {
    /// All parameters of a piece are contiguous.
    Whole(Vec<u64>),
    /// Each tensor holds all pieces with the same network, one after another.
    Stacked {
        /// The index of each piece among those with the same network.
        rows: Vec<u32>,
        /// For each network, the offset of each of its tensors and the number of values per piece.
        tensors: Vec<Vec<(u64, usize)>>,
    },
}

impl PieceSet {
    /// A set in memory, from the network of each piece and its parameters in the order of
    /// [`Network::layers`].
    ///
    /// Returns the reason if the pieces do not match `grid`, or if the number of parameters of a
    /// piece does not match its network.
    /// per weight and bias.
    pub fn new(
        grid: PieceGrid,
        axes: Vec<usize>,
        pieces: Vec<(Network, Vec<f32>)>,
    ) -> Result<Self, String> {
        let mut kinds = Kinds::default();
        let mut all = Vec::with_capacity(pieces.len());
        for (index, (network, parameters)) in pieces.into_iter().enumerate() {
            let expected = network.parameter_count();
            if parameters.len() != expected {
                let found = parameters.len();
                return Err(format!("piece {index} has {found} parameters; expected {expected}"));
            }
            kinds.push(&network);
            all.push(parameters);
        }
        Self::of(grid, axes, kinds, Store::Memory(all))
    }

    /// A set whose parameters stay in `file`.
    pub(crate) fn in_file(
        grid: PieceGrid,
        axes: Vec<usize>,
        kinds: Kinds,
        (path, file): (&Path, File),
        storage: Storage,
        places: Places,
    ) -> Result<Self, String> {
        let path = path.to_owned();
        Self::of(grid, axes, kinds, Store::File { path, file: Mutex::new(file), storage, places })
    }

    fn of(grid: PieceGrid, axes: Vec<usize>, kinds: Kinds, store: Store) -> Result<Self, String> {
        if let Some(problem) = grid.problem(&axes) {
            return Err(problem);
        }
        let Kinds { networks, kinds } = kinds;
        if kinds.len() != grid.piece_count() {
            return Err(format!("{} pieces; expected {}", kinds.len(), grid.piece_count()));
        }
        Ok(Self { grid, axes, networks, kinds, store: Arc::new(store) })
    }

    /// The grid by which the signal is cut.
    pub fn grid(&self) -> &PieceGrid {
        &self.grid
    }

    /// The number of samples of the signal along each axis.
    pub fn axes(&self) -> &[usize] {
        &self.axes
    }

    /// The number of pieces.
    pub fn piece_count(&self) -> usize {
        self.kinds.len()
    }

    /// The distinct networks, and the number of pieces that have each.
    pub fn networks(&self) -> Vec<(&Network, usize)> {
        let mut counts = vec![0; self.networks.len()];
        self.kinds.iter().for_each(|kind| counts[*kind as usize] += 1);
        self.networks.iter().zip(counts).collect()
    }

    /// The index of each piece's network among [`PieceSet::networks`].
    pub(crate) fn kinds(&self) -> &[u32] {
        &self.kinds
    }

    /// The network of piece `index`, which must be one of the set.
    pub fn network(&self, index: usize) -> &Network {
        &self.networks[self.kinds[index] as usize]
    }

    /// The number of parameters of all pieces.
    pub fn parameter_count(&self) -> usize {
        self.networks().iter().map(|(network, count)| network.parameter_count() * count).sum()
    }

    /// The weights and biases of piece `index`, which must be one of the set, in the order of
    /// [`Network::layers`].
    ///
    /// # Errors
    /// Returns the error of the system with the name of the file, or an error if a parameter is not
    /// finite.
    pub fn parameters(&self, index: usize) -> io::Result<Vec<f32>> {
        self.part(index, 0..self.network(index).parameter_count())
    }

    /// The parameters of piece `index` in `range`.
    pub(crate) fn part(&self, index: usize, range: Range<usize>) -> io::Result<Vec<f32>> {
        let parameters = match &*self.store {
            Store::Memory(all) => all[index][range].to_vec(),
            Store::File { path, file, storage, places } => {
                let bytes = storage.bytes();
                let mut source = Source { file, storage: *storage, values: Vec::new() };
                let result = match places {
                    Places::Whole(offsets) => {
                        source.read(offsets[index] + (bytes * range.start) as u64, range.len())
                    }
                    Places::Stacked { rows, tensors } => {
                        let row = rows[index] as usize;
                        let mut first = 0;
                        tensors[self.kinds[index] as usize].iter().try_for_each(|(start, count)| {
                            let wanted = range.start.max(first)..range.end.min(first + count);
                            let skipped = row * count + wanted.start.saturating_sub(first);
                            first += count;
                            source.read(start + (bytes * skipped) as u64, wanted.len())
                        })
                    }
                };
                let named = |error: io::Error| {
                    io::Error::new(
                        error.kind(),
                        format!("cannot read '{}': {error}", path.display()),
                    )
                };
                result.map_err(named)?;
                source.values
            }
        };
        match parameters.iter().find(|value| !value.is_finite()) {
            None => Ok(parameters),
            Some(value) => {
                let reason = format!("piece {index} holds {value}; expected finite numbers");
                Err(io::Error::new(io::ErrorKind::InvalidData, reason))
            }
        }
    }
}

/// Collects numbers from a file.
struct Source<'a> {
    file: &'a Mutex<File>,
    storage: Storage,
    values: Vec<f32>,
}

impl Source<'_> {
    fn read(&mut self, offset: u64, count: usize) -> io::Result<()> {
        if count == 0 {
            return Ok(());
        }
        let mut bytes = vec![0; count * self.storage.bytes()];
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(offset))?;
            file.read_exact(&mut bytes)?;
        }
        self.storage.decode(&bytes, &mut self.values);
        Ok(())
    }
}

impl fmt::Debug for PieceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PieceSet")
            .field("grid", &self.grid)
            .field("axes", &self.axes)
            .field("networks", &self.networks())
            .finish_non_exhaustive()
    }
}

/// Two sets are equal if their pieces are, in memory or in a file; unreadable pieces equal nothing.
impl PartialEq for PieceSet {
    fn eq(&self, other: &Self) -> bool {
        let same = |index: usize| {
            self.network(index) == other.network(index)
                && matches!((self.parameters(index), other.parameters(index)),
                            (Ok(own), Ok(others)) if own == others)
        };
        (&self.grid, &self.axes) == (&other.grid, &other.axes) && (0..self.piece_count()).all(same)
    }
}

/// Collects the networks of pieces, of which few are distinct.
#[derive(Debug, Default)]
pub(crate) struct Kinds {
    networks: Vec<Network>,
    kinds: Vec<u32>,
}

impl Kinds {
    /// Adds the network of the next piece.
    pub(crate) fn push(&mut self, network: &Network) {
        let known = self.networks.iter().position(|own| own == network);
        let kind = known.unwrap_or_else(|| {
            self.networks.push(network.clone());
            self.networks.len() - 1
        });
        self.kinds.push(kind as u32);
    }

    /// The distinct networks, and the index of each piece's network.
    pub(crate) fn known(networks: Vec<Network>, kinds: Vec<u32>) -> Self {
        Self { networks, kinds }
    }
}
