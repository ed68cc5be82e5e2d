//! Signals of any size: cut into pieces, each with its own network.
//!
//! One network for a whole photograph needs many steps, each over the whole image. Small networks
//! for small pieces need few, and a constant amount of work per sample. Pieces are independent, so
//! they are trained in parallel, one per core, and an interrupted fit loses no finished piece.
//!
//! 1. [`PieceGrid`] defines the positions of the pieces. Each is also trained on a few samples beyond
//!    its borders, and neighboring pieces are blended there, so that the result is continuous.
//! 2. A piece whose training stalls is detected early and fitted again by a wider network
//!    ([`PieceReport::attempts`]).
//! 3. [`PieceSet`] holds the networks, in memory or in a file; [`PieceField`] evaluates them.
//! 4. [`Journal`] keeps finished pieces on disk while the others are fitted.
//!
//! Pieces belong to the plan and the model, not to a kind of signal: everything that is sampled on
//! a grid is cut in the same way.

mod core_loss;
mod field;
mod grid;
mod journal;
#[cfg(feature = "chart")]
pub(crate) mod map;
mod measure;
mod points;
mod scattered;
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
    /// The grid of the pieces.
    #[serde(flatten)]
    pub grid: PieceGrid,
    /// The number of units of the hidden layers in further attempts, for pieces whose training
    /// stalls.
    pub cures: Vec<usize>,
}
