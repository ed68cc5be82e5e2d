//! What can be given after `fit`, and the request that it makes.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use vi3nr::scheme::{SchemeRequest, SigmaRequest};
use vi3nr::{Activation, BiasRule, WeightShape};
use vi3nr_inr::checkpoint::CheckpointInterval;
use vi3nr_inr::model_file::StorageRule;
use vi3nr_inr::optimizer::OptimizerName;
use vi3nr_inr::preset::Preset;
use vi3nr_inr::request::{BatchSize, FitRequest, ScheduleName, TileSide};
use vi3nr_inr::supervision::{Supervise, TermList};

use super::values::{finite, named, optimizer, positive, whole, word};
use super::{AudioArguments, BackendArguments, ImageArguments, ShapeArguments, ThreadsAndJson};

/// The distributions of weights.
pub(crate) const WEIGHTS: [&str; 4] = ["uniform", "normal", "truncated-normal", "orthogonal"];

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct FitArguments {
    /// Images (PNG, JPEG), audio (WAV, FLAC, MP3) or shapes (PLY, OBJ, STL, XYZ, PCD); - is stdin
    ///
    /// Several files are fitted one after the other, each into a run directory of its own. Without
    /// a file, a built-in test image is fitted.
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Run directory; of several files, its parent [default: runs/NAME]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Remove an earlier run in the directory of --out first
    #[arg(long, requires = "out")]
    pub(crate) overwrite: bool,
    /// Resume the run in DIR with its settings
    ///
    /// The result is byte-identical to that of an uninterrupted run. A finished run is continued
    /// from its model if --steps (in addition) or --time-limit is given.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["files", "out", "overwrite"])]
    pub(crate) resume: Option<PathBuf>,
    /// Read settings, named like these options, from a TOML or JSON file
    ///
    /// Options on the command line take precedence.
    #[arg(long, value_name = "FILE")]
    pub(crate) request: Option<PathBuf>,
    /// Print the plan, with the reason of every default, and train nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Interval of checkpoints: a number of steps, or a time such as 30s
    #[arg(long, value_name = "N|TIME", default_value = "30s", hide_short_help = true)]
    pub(crate) checkpoint_every: CheckpointInterval,
    /// Write an event file for TensorBoard into the run directory too
    #[arg(long, hide_short_help = true)]
    pub(crate) tensorboard: bool,
    /// Goal of the defaults: fast, or paper for its settings [default: fast]
    ///
    /// The VI3NR paper trains for 30,000 steps on all points.
    #[arg(long, value_name = "NAME", value_parser = word::<Preset>(["fast", "paper"]))]
    #[arg(hide_possible_values = true)]
    pub(crate) preset: Option<Preset>,

    #[command(flatten)]
    pub(crate) image: ImageArguments,
    #[command(flatten)]
    pub(crate) audio: AudioArguments,
    /// Coordinates reach from -S to S [default: 100 with a sine, as in SIREN, 24 in pieces; 1 with other
    /// activations and by default in pieces]
    #[arg(long, value_name = "S", value_parser = positive, help_heading = "Audio")]
    #[arg(hide_short_help = true)]
    pub(crate) input_scale: Option<f64>,
    #[command(flatten)]
    pub(crate) shape: ShapeArguments,

    /// Activation: NAME, NAME:key=value or a formula in x; see `vi3nr activations`
    ///
    /// For example gaussian:sigma=0.05 or 'exp(-x^2/(2*s^2)):s=0.05' [default: a sine that
    /// was tuned with --first-sigma-p, for images and for audio in pieces, if neither is given nor --init,
    /// --sigma-p, --last-sigma-p, --input-scale or --from; otherwise sine:omega=30, or sine:omega=23 for
    /// pieces of an image; gaussian with --preset paper, except for audio]
    #[arg(long, value_name = "F", help_heading = "Network")]
    pub(crate) activation: Option<Activation>,
    /// Number of weight matrices [default: 8; 4 for audio and pieces, 5 for terms]
    #[arg(long, value_name = "N", help_heading = "Network")]
    #[arg(value_parser = whole::<usize>(0..=u64::MAX))]
    pub(crate) layers: Option<usize>,
    /// Units of each hidden layer [default: 128; 256 for audio; fewer for pieces]
    ///
    /// Pieces have 80 units, 96 above 46 dB, and pieces of audio 64.
    #[arg(long, value_name = "M", help_heading = "Network")]
    #[arg(value_parser = whole::<usize>(0..=u64::MAX))]
    pub(crate) width: Option<usize>,

    #[command(flatten)]
    pub(crate) size: SizeArguments,
    #[command(flatten)]
    pub(crate) initialization: InitializationArguments,
    #[command(flatten)]
    pub(crate) training: TrainingArguments,

    /// End as soon as standard input does, as the children of a sweep must.
    #[arg(long, hide = true)]
    pub(crate) end_with_input: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Quality and size")]
pub(crate) struct SizeArguments {
    /// Quality to stop at [default: in pieces, 42 for images and 40 for audio]
    ///
    /// In dB: the PSNR (peak 2) of an image or the SNR of audio, of every piece if there are pieces.
    /// Without pieces there is no default.
    #[arg(long, value_name = "DB", value_parser = finite, conflicts_with = "target_psnr")]
    pub(crate) quality: Option<f64>,
    /// Side of the pieces in pixels or samples, or none for one network
    ///
    /// Each piece has a network of its own [default: 64 for images of more than 16384 pixels and
    /// 4096 for audio of more than 16384 samples, unless options of adam or muon are given or with
    /// --preset paper; else none]
    #[arg(long, value_name = "S|none", hide_short_help = true)]
    pub(crate) tile: Option<TileSide>,
    /// Choose the width for at most N parameters in total
    #[arg(long, value_name = "N", conflicts_with = "width")]
    #[arg(value_parser = whole::<u64>(1..=u64::MAX))]
    pub(crate) parameters: Option<u64>,
    /// Format of stored parameters: f32, f16, bf16 or auto [default: auto for pieces, else f32]
    ///
    /// auto stores f16 where the quality is reached after rounding, and f32 elsewhere.
    #[arg(long, value_name = "FORMAT", hide_short_help = true, hide_possible_values = true)]
    #[arg(value_parser = word::<StorageRule>(StorageRule::ALL.map(StorageRule::as_str)))]
    pub(crate) storage: Option<StorageRule>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Initialization")]
pub(crate) struct InitializationArguments {
    /// Start from the weights of a model, a run directory or a file that init wrote
    #[arg(long, value_name = "MODEL", hide_short_help = true)]
    pub(crate) from: Option<PathBuf>,
    /// Scheme of the initial weights; see `vi3nr schemes` [default: auto]
    ///
    /// One of ours, ours_mc (its moments from 10^6 samples), eoc (with biases that let weights keep
    /// the variance of gradients too), siren, ws:alpha=A (SIREN's weights times A in all layers but the
    /// last), finer:k=K (SIREN's weights, first biases U(-K, K)), winner (SIREN's weights plus noise in
    /// the first two layers, from the spectrum of the signal or as winner:s0=S,s1=S), xavier, kaiming,
    /// kaiming_out, kumar, pytorch, backward, normal:std=S, or auto: the activation's own if it has one
    /// (SIREN's for the sine), else ours.
    #[arg(long, value_name = "SCHEME", alias = "scheme")]
    pub(crate) init: Option<SchemeRequest>,
    /// Standard deviation of the preactivations: a number, auto or 2*auto
    ///
    /// For --init ours or eoc; any multiple of auto is accepted. auto is the smallest value at which
    /// gradients keep their variance from layer to layer, Eq. (13). If no value or every value keeps
    /// it, auto is 1 or the nearest suitable value [default: 2*auto, 6*auto for audio; auto itself if
    /// no value or every value keeps the variance]
    #[arg(long, value_name = "S")]
    pub(crate) sigma_p: Option<SigmaRequest>,
    /// Standard deviation of the first layer's preactivations, for --init ours or eoc: as --sigma-p
    /// [default: sigma_p, or tuned with the default activation, see --activation]
    #[arg(long, value_name = "S", hide_short_help = true)]
    pub(crate) first_sigma_p: Option<SigmaRequest>,
    /// Standard deviation of the network's initial output [default: sigma_p]
    #[arg(long, value_name = "S", value_parser = positive, hide_short_help = true)]
    pub(crate) last_sigma_p: Option<f64>,
    /// Distribution of the initial weights: uniform, normal, truncated-normal or orthogonal
    /// [default: uniform]
    #[arg(long, alias = "distribution", value_name = "SHAPE", hide_short_help = true)]
    #[arg(value_parser = named::<WeightShape>(WEIGHTS), hide_possible_values = true)]
    pub(crate) weights: Option<WeightShape>,
    /// Initial biases: zero, like-weights, fan-in for U(-b, b) with b = 1/sqrt(fan-in) as in
    /// PyTorch, uniform:B for U(-B, B), normal:S for N(0, S^2) or scheme [default: scheme with
    /// --init eoc; else zero, and like-weights for audio]
    #[arg(long, value_name = "RULE", hide_short_help = true)]
    pub(crate) biases: Option<BiasRule>,
    /// Initial biases of the first layer, as --biases
    ///
    /// [default: zero with --init eoc unless f(-x) = f(x), uniform:K with finer; else those of --biases;
    /// if that is not given and f(-x) = f(x), like-weights, so that the network is not an even function
    /// at the start; with --preset paper those of the paper]
    #[arg(long, value_name = "RULE", hide_short_help = true)]
    pub(crate) first_bias: Option<BiasRule>,
    /// Seed of the initial weights and of the order of mini-batches [default: 0]
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=u64::MAX))]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
pub(crate) struct TrainingArguments {
    /// What is learned: value, gradient or laplacian of an image, distance or surface of a shape
    /// [default: value; surface for point clouds and with --term, else distance]
    ///
    /// gradient, laplacian: the derivatives of an image at its pixels, and the constant that they
    /// leave open from its mean. distance: signed distances at points around the surface, from the triangles of a mesh or from
    /// the plane through the nearest point of a cloud. surface: the terms of --term at points of the
    /// surface and in space.
    #[arg(long, value_name = "NAME", hide_short_help = true, hide_possible_values = true)]
    #[arg(value_parser = word::<Supervise>(Supervise::ALL.map(Supervise::as_str)))]
    pub(crate) supervise: Option<Supervise>,
    /// Add a term to the loss of an image or a shape, with its weight, or all terms of a preset for
    /// shapes; may be repeated
    ///
    /// A term is NAME:WEIGHT or NAME:WEIGHT,key=value, for example eikonal:50,power=1. Terms: value,
    /// gradient, normal (signed=false for points of unknown sides), eikonal, laplacian,
    /// off-surface, heat. Presets: siren, igr, sald, hotspot. A later term replaces an earlier one of
    /// the same name [default: siren heat:100,lambda=8]
    #[arg(long = "term", value_name = "TERM|PRESET", hide_short_help = true)]
    #[arg(action = ArgAction::Append)]
    pub(crate) terms: Vec<TermList>,
    /// Maximum number of steps, for example 1e3; in pieces, of each piece
    ///
    /// [default: 300 for a piece; else as many as take 30 to 40 s on two modern cores for an image,
    /// a minute for audio, a minute and a half for a shape; 3000 for terms]
    #[arg(short = 'n', long, value_name = "N", value_parser = whole::<u64>(1..=u64::MAX))]
    pub(crate) steps: Option<u64>,
    /// Number of points per step, shuffled anew each epoch, or full for all of them
    /// [default: 4096; 6144 for signed distances]
    #[arg(long, value_name = "N|full", hide_short_help = true)]
    pub(crate) batch: Option<BatchSize>,
    /// adam, muon or kfac [default: kfac for pieces and small images, else adam]
    ///
    /// muon orthogonalizes the momentum of hidden weights and uses adam for the rest; kfac is of
    /// second order, without a learning rate, and uses all points at each step. kfac is the default
    /// for pieces and for images of at most 16384 pixels where none of --lr, --schedule, --lr-decay
    /// and --batch N is given and --preset is not paper.
    #[arg(long, value_name = "NAME", value_parser = optimizer(), hide_possible_values = true)]
    pub(crate) optimizer: Option<OptimizerName>,
    /// Initial learning rate of adam or muon [default: 5e-4 for adam, 1e-3 for terms]
    #[arg(long, value_name = "RATE", value_parser = positive)]
    pub(crate) lr: Option<f64>,
    /// Learning-rate schedule: constant, exponential or cosine
    /// [default: cosine; exponential with --lr-decay]
    #[arg(long, value_name = "NAME", hide_short_help = true, hide_possible_values = true)]
    #[arg(value_parser = word::<ScheduleName>(["constant", "exponential", "cosine"]))]
    pub(crate) schedule: Option<ScheduleName>,
    /// Multiply the learning rate by FACTOR after each step (exponential schedule)
    #[arg(long, value_name = "FACTOR", value_parser = positive, hide_short_help = true)]
    pub(crate) lr_decay: Option<f64>,
    /// Finish within S seconds, files included [default: no limit]
    ///
    /// The cosine schedule then ends with the time, so the result depends on the machine.
    #[arg(long, value_name = "S", value_parser = positive)]
    pub(crate) time_limit: Option<f64>,
    /// Stop at this PSNR in dB (peak 2) of the training loss [default: none]
    #[arg(long, value_name = "DB", value_parser = finite, hide_short_help = true)]
    pub(crate) target_psnr: Option<f64>,
    #[command(flatten)]
    pub(crate) backend: BackendArguments,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

impl FitArguments {
    /// The request that the options make, without that of --request; of several files, for the
    /// first.
    pub(crate) fn options(&self) -> FitRequest {
        let Self { initialization, training, size, .. } = self;
        let mut request = FitRequest::default();
        request.file = self.files.first().cloned();
        request.preset = self.preset;
        self.image.fill(&mut request.signal);
        self.audio.fill(&mut request.signal);
        self.shape.fill(&mut request.signal);
        request.input_scale = self.input_scale;
        request.activation = self.activation.clone();
        request.layers = self.layers;
        request.width = self.width;
        request.from = initialization.from.clone();
        request.init = initialization.init;
        request.sigma_p = initialization.sigma_p;
        request.first_sigma_p = initialization.first_sigma_p;
        request.last_sigma_p = initialization.last_sigma_p;
        request.weights = initialization.weights;
        request.biases = initialization.biases;
        request.first_bias = initialization.first_bias;
        request.seed = initialization.seed;
        request.supervise = training.supervise;
        let entries: Vec<_> = training.terms.iter().flat_map(|list| list.entries.clone()).collect();
        request.terms = (!entries.is_empty()).then_some(TermList { entries });
        request.steps = training.steps;
        request.batch = training.batch;
        request.optimizer = training.optimizer;
        request.lr = training.lr;
        request.schedule = training.schedule;
        request.lr_decay = training.lr_decay;
        request.time_limit = training.time_limit;
        request.target_psnr = training.target_psnr;
        request.quality = size.quality;
        request.tile = size.tile;
        request.parameters = size.parameters;
        request.storage = size.storage;
        request.backend = training.backend.backend;
        request.device = training.backend.device;
        request
    }
}
