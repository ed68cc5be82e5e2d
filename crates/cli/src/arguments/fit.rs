//! What can be given after `fit`, and the request that it makes.

use std::path::PathBuf;

use clap::Args;
use vi3nr::scheme::{SchemeRequest, SigmaRequest};
use vi3nr::{Activation, BiasRule, WeightShape};
use vi3nr_inr::checkpoint::CheckpointInterval;
use vi3nr_inr::model_file::StorageRule;
use vi3nr_inr::optimizer::OptimizerName;
use vi3nr_inr::preset::Preset;
use vi3nr_inr::request::{BatchSize, EngineName, FitRequest, ScheduleName, TileSide};

use super::values::{engine, finite, named, optimizer, positive, word};
use super::{AudioArguments, ImageArguments, ShapeArguments, ThreadsAndJson};

/// The distributions of weights.
pub(crate) const WEIGHTS: [&str; 4] = ["uniform", "normal", "truncated-normal", "orthogonal"];
/// The rules for biases that have no number.
pub(crate) const BIASES: [&str; 2] = ["zero", "like-weights"];

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct FitArguments {
    /// An image (PNG, JPEG), audio (WAV, FLAC, MP3) or a shape (PLY, OBJ, STL, XYZ); without one, a
    /// test image that the program draws itself.
    pub(crate) file: Option<PathBuf>,
    /// The run directory [default: runs/NAME, with a number if that exists].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Remove an earlier run in the directory of --out first; without this it is an error.
    #[arg(long, requires = "out")]
    pub(crate) overwrite: bool,

    /// Resume the interrupted run in DIR with its original settings; the result is byte-identical to
    /// that of an uninterrupted run. A finished run goes on from its model if --steps (in addition) or
    /// --time-limit is given.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["file", "out", "overwrite"])]
    pub(crate) resume: Option<PathBuf>,
    /// Take the settings in FILE, TOML or JSON, named like the options below; options given beside it
    /// come first.
    #[arg(long, value_name = "FILE")]
    pub(crate) request: Option<PathBuf>,
    /// Print the plan of the fit, with the reason of every default, and train nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How often a checkpoint is written to the run directory: a number of steps, or a time such as
    /// 30s.
    #[arg(long, value_name = "N|TIME", default_value = "30s")]
    pub(crate) checkpoint_every: CheckpointInterval,
    /// Write an event file for TensorBoard into the run directory too.
    #[arg(long)]
    pub(crate) tensorboard: bool,

    /// What the settings below are chosen for where they are not given: fast, the best quality per
    /// minute, or paper, the paper's experiment of 30,000 steps on all points [default: fast].
    #[arg(long, value_name = "NAME", value_parser = word::<Preset>(["fast", "paper"]))]
    pub(crate) preset: Option<Preset>,

    #[command(flatten)]
    pub(crate) image: ImageArguments,
    #[command(flatten)]
    pub(crate) audio: AudioArguments,
    /// Coordinates reach from -S to S [default: 100 with a sine, as SIREN has it, else 1].
    #[arg(long, value_name = "S", value_parser = positive, help_heading = "Audio")]
    pub(crate) input_scale: Option<f64>,
    #[command(flatten)]
    pub(crate) shape: ShapeArguments,

    /// The nonlinearity: NAME or NAME:key=value, for example gaussian:sigma=0.05, or any formula in x,
    /// for example 'exp(-x^2/(2*s^2)):s=0.05'
    /// [default: sine:omega=30, sine:omega=23 for pieces of an image; gaussian with --preset paper, except
    /// for audio].
    #[arg(long, help_heading = "Network")]
    pub(crate) activation: Option<Activation>,
    /// The number of weight matrices, the first and the last included [default: 8; 4 for audio and for
    /// pieces].
    #[arg(long, value_name = "N", help_heading = "Network")]
    pub(crate) layers: Option<usize>,
    /// The number of units of each hidden layer [default: 128; 256 for audio; for pieces 80, 96 above 46 dB, of audio 64].
    #[arg(long, value_name = "M", help_heading = "Network")]
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
    /// The quality in dB at which the fit stops, of every piece where there are pieces: the PSNR (peak 2)
    /// of an image, the SNR of audio [default: 42 for images and 40 for audio in pieces, else none].
    #[arg(long, value_name = "DB", value_parser = finite, conflicts_with = "target_psnr")]
    pub(crate) quality: Option<f64>,
    /// Cut the signal into pieces of about S pixels or samples a side, each with a network of its own; none:
    /// one network for all of it [default: 64 for images of more than 16384 pixels and 4096 for audio of
    /// more than 16384 samples, unless options of adam or muon are given or with --preset paper; else
    /// none].
    #[arg(long, value_name = "S|none")]
    pub(crate) tile: Option<TileSide>,
    /// Choose the width for at most N parameters in all.
    #[arg(long, value_name = "N", conflicts_with = "width")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) parameters: Option<u64>,
    /// How the model file stores parameters: f32, f16, bf16, or auto, f16 where the quality is reached
    /// after rounding and f32 elsewhere [default: auto for pieces, else f32].
    #[arg(long, value_name = "FORMAT")]
    #[arg(value_parser = word::<StorageRule>(StorageRule::ALL.map(StorageRule::as_str)))]
    pub(crate) storage: Option<StorageRule>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Initialization")]
pub(crate) struct InitializationArguments {
    /// Start from the weights of a model, of a run directory or of a file that init wrote.
    #[arg(long, value_name = "MODEL")]
    pub(crate) from: Option<PathBuf>,
    /// The scheme of the initial weights: ours, ours_mc (its moments from 10^6 samples), siren, xavier,
    /// kaiming, kaiming_out, kumar, pytorch, backward, or normal:std=S. auto: the activation's own
    /// where it has one (SIREN's for the sine), else ours [default: auto].
    #[arg(long, value_name = "SCHEME", visible_alias = "scheme")]
    pub(crate) init: Option<SchemeRequest>,
    /// The standard deviation of the preactivations, for --init ours: a number, auto for the value at
    /// which gradients keep their variance, Eq. 13, or a multiple such as 2*auto [default: twice that
    /// value, six times for audio, where there is one].
    #[arg(long, value_name = "S")]
    pub(crate) sigma_p: Option<SigmaRequest>,
    /// The standard deviation of the network's initial output, where it is not sigma_p.
    #[arg(long, value_name = "S", value_parser = positive)]
    pub(crate) last_sigma_p: Option<f64>,
    /// The distribution of the initial weights [default: uniform].
    #[arg(long, value_name = "SHAPE", value_parser = named::<WeightShape>(WEIGHTS))]
    pub(crate) weights: Option<WeightShape>,
    /// The initial biases [default: zero; like-weights for audio].
    #[arg(long, value_name = "RULE", value_parser = named::<BiasRule>(BIASES))]
    pub(crate) biases: Option<BiasRule>,
    /// The initial biases of the first layer: zero, like-weights or uniform:B for U(-B, B) [default:
    /// those of --biases; where that is not given and f(-x) = f(x), like-weights, so that the network is
    /// not an even function at the start; with --preset paper as the paper has them].
    #[arg(long, value_name = "RULE")]
    pub(crate) first_bias: Option<BiasRule>,
    /// The seed of the initial weights and of the order of mini-batches [default: 0].
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
pub(crate) struct TrainingArguments {
    /// The maximum number of steps, of each piece where there are pieces [default: 300 for a piece; else as
    /// many as take 30 to 40 s on two modern cores for an image, a minute for audio, a minute and a half
    /// for a shape].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) steps: Option<u64>,
    /// The number of points of a step, shuffled anew each epoch, or full for all of them at each step
    /// [default: 4096; 6144 for shapes, whose points are drawn].
    #[arg(long, value_name = "N|full")]
    pub(crate) batch: Option<BatchSize>,
    /// The optimizer: adam; muon (orthogonalized momentum for hidden weights, adam for the rest); kfac
    /// (second order, no learning rate, all points at each step) [default: kfac for pieces and for images
    /// of at most 16384 pixels where none of --lr, --schedule, --lr-decay and --batch N is given; else, and
    /// with --preset paper, adam].
    #[arg(long, value_name = "NAME", value_parser = optimizer())]
    pub(crate) optimizer: Option<OptimizerName>,
    /// The initial learning rate of adam [default: 5e-4] or muon.
    #[arg(long, value_name = "RATE", value_parser = positive)]
    pub(crate) lr: Option<f64>,
    /// The learning-rate schedule [default: cosine, or exponential with --lr-decay].
    #[arg(long, value_name = "NAME")]
    #[arg(value_parser = word::<ScheduleName>(["constant", "exponential", "cosine"]))]
    pub(crate) schedule: Option<ScheduleName>,
    /// Multiply the learning rate by this after each step (exponential schedule).
    #[arg(long, value_name = "FACTOR", value_parser = positive)]
    pub(crate) lr_decay: Option<f64>,
    /// Finish, files included, within this many seconds of the start. The cosine schedule then ends
    /// with the time, so the result depends on the machine.
    #[arg(long, value_name = "SECONDS", value_parser = positive)]
    pub(crate) time_limit: Option<f64>,
    /// Stop at this PSNR in dB (peak 2) of the training loss.
    #[arg(long, value_name = "DB", value_parser = finite)]
    pub(crate) target_psnr: Option<f64>,
    /// The engine: cpu, fused float32, or reference, plain double-precision loops (slow, for
    /// comparison) [default: cpu].
    #[arg(long, value_name = "NAME", value_parser = engine())]
    pub(crate) engine: Option<EngineName>,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

impl FitArguments {
    /// The request that the options make, without that of --request.
    pub(crate) fn options(&self) -> FitRequest {
        let Self { initialization, training, size, .. } = self;
        let mut request = FitRequest::default();
        request.file = self.file.clone();
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
        request.last_sigma_p = initialization.last_sigma_p;
        request.weights = initialization.weights;
        request.biases = initialization.biases;
        request.first_bias = initialization.first_bias;
        request.seed = initialization.seed;
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
        request.engine = training.engine;
        request
    }
}
