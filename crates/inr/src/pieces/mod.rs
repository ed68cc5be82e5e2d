//! Signals of any size: cut into pieces, each with a network of its own.
//!
//! One network for a whole photograph needs many steps, each over all of it; small networks for small
//! pieces need few, and a constant amount of work for each sample. They are independent, so they are
//! trained side by side, one to a core, and a fit that was cut off never loses a piece that had
//! ended.
//!
//! 1. [`PieceGrid`] says where the pieces lie. Each is trained on a few samples beyond its borders, and
//!    where two meet their values are blended, so that the whole is continuous.
//! 2. A piece whose training stalls is noticed early and fitted again by a wider network
//!    ([`PieceReport::attempts`]).
//! 3. [`PieceSet`] holds the networks, in memory or in a file; [`PieceField`] evaluates them.
//! 4. [`Journal`] keeps finished pieces on disk while the others are fitted.
//!
//! Pieces belong to the plan and the model, not to a kind of signal: whatever is sampled on a grid is
//! cut alike.

mod core_loss;
mod field;
mod grid;
mod journal;
#[cfg(feature = "chart")]
pub(crate) mod map;
mod measure;
mod points;
mod schedule;
mod session;
mod set;
mod table;
mod train;

pub use field::{PieceError, PieceField};
pub use grid::{Piece, PieceGrid};
pub use journal::{Journal, PIECES_FILE};
pub use measure::{Measured, all_values, measure};
pub use schedule::PieceProgress;
pub(crate) use session::PieceSession;
pub use session::{Pieces, PiecesReport};
pub use set::PieceSet;
pub(crate) use set::{Kinds, Places};
pub use table::{MAP_FILES, TABLE_FILE, piece_table};
pub use train::{FittedPiece, PieceReport};

use serde::{Deserialize, Serialize};

/// How a plan cuts its signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PiecePlan {
    /// Where the pieces lie.
    #[serde(flatten)]
    pub grid: PieceGrid,
    /// The number of units of the hidden layers of further networks, for pieces whose training stalls.
    pub cures: Vec<usize>,
}
