//! What can be typed.

mod experiments;
mod signal;
mod sweep;
mod theory;
mod values;

pub(crate) use experiments::{BenchArguments, ProfileName, PropagateArguments, ReproArguments};
pub(crate) use signal::{
    Background, PictureArguments, SampleFormatName, ShapeArguments, SoundArguments,
};
pub(crate) use sweep::{
    ReportArguments, SweepArguments, SweepCommand, SweepReportArguments, SweepRunArguments,
};
pub(crate) use theory::{GainArguments, InitArguments, MethodName, PlotArguments, SolveArguments};

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use vi3nr::{Activation, BiasRule, Scheme, WeightShape};
use vi3nr_inr::checkpoint::Every;
use vi3nr_inr::optimiser::OptimiserName;
use vi3nr_inr::recipe::Preset;

use values::{batch, every, finite, grid, init, positive, sigma, size, threads};

/// Coordinate networks with the right initialisation: ask what an activation needs, fit a picture or
/// a recording, decode it at any resolution.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Train a network on a picture, a recording or a shape and write it to a run directory.
    Fit(Box<FitArguments>),
    /// Turn a model back into a picture at any size or a recording at any rate.
    Decode(DecodeArguments),
    /// Turn a model of a shape back into triangles, at any resolution.
    Mesh(MeshArguments),
    /// Compare a model with a picture (PSNR in both conventions, SSIM, largest error), a recording
    /// (MSE, SNR, spectral convergence) or a shape (IoU, Chamfer distance, normal consistency).
    Eval(EvalArguments),
    /// Show what a model file holds.
    Info(InfoArguments),
    /// Time a training step and an inference as a share of this machine's peak.
    Bench(BenchArguments),
    /// Tell which gain an activation needs at one sigma_p, and how gradients fare there.
    Gain(GainArguments),
    /// Find all sigma_p at which gradients keep their variance, Eq. (13).
    Solve(SolveArguments),
    /// Give the weights of every layer of a network their variance, and draw them.
    Init(InitArguments),
    /// Draw the condition of Eq. (13) and the gain over sigma_p.
    Plot(PlotArguments),
    /// Measure what becomes of variances in a deep network, forward and back.
    Propagate(PropagateArguments),
    /// Run a table or figure of the paper again and compare, number by number.
    Repro(ReproArguments),
    /// Try many settings of fit, as a file lists them, and keep every result.
    Sweep(SweepArguments),
    /// Show a run, a sweep or reproduced tables as one HTML file that needs no network.
    Report(ReportArguments),
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct FitArguments {
    /// A picture (PNG, JPEG), a recording (WAV, FLAC, MP3) or a shape (PLY, OBJ, STL, XYZ); without
    /// one, a test picture that the program draws itself.
    pub(crate) file: Option<PathBuf>,
    /// The run directory [default: runs/NAME, with a number if that exists].
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Go on with the run in DIR that was cut off: its own settings, to the bytes that it would have
    /// had. From nothing if no checkpoint was reached.
    #[arg(long, value_name = "DIR")]
    pub(crate) resume: Option<PathBuf>,
    /// How often the run directory gets a checkpoint: a number of steps, or a time such as 30s.
    #[arg(long, value_name = "N|TIME", default_value = "30s", value_parser = every)]
    pub(crate) checkpoint_every: Every,

    /// Write an event file for TensorBoard into the run directory too.
    #[arg(long)]
    pub(crate) tensorboard: bool,

    /// What the settings below are chosen for where they are not typed: the best quality per minute,
    /// or the paper's experiment (30,000 steps on all points).
    #[arg(long, value_enum, default_value_t = PresetName::Fast)]
    pub(crate) preset: PresetName,

    #[command(flatten)]
    pub(crate) picture: PictureArguments,
    #[command(flatten)]
    pub(crate) sound: SoundArguments,
    #[command(flatten)]
    pub(crate) shape: ShapeArguments,

    /// The nonlinearity: NAME or NAME:key=value, for example gaussian:sigma=0.05, or any formula in x,
    /// for example 'exp(-x^2/(2*s^2)):s=0.05'.
    /// [default: sine:omega=30; for pictures with --preset paper gaussian:sigma=0.05].
    #[arg(long, help_heading = "Network")]
    pub(crate) activation: Option<Activation>,
    /// Weight matrices, the first and the last included [default: 8; 4 for recordings].
    #[arg(long, value_name = "N", help_heading = "Network")]
    pub(crate) layers: Option<usize>,
    /// Units of each hidden layer [default: 128; 256 for recordings].
    #[arg(long, value_name = "M", help_heading = "Network")]
    pub(crate) width: Option<usize>,

    /// The rule for the first weights: ours, ours_mc (its moments from 10^6 samples), siren, xavier, kaiming, kaiming_out, kumar, pytorch,
    /// backward, or normal:std=S. auto: the activation's own where it has one (SIREN's for the sine),
    /// else ours.
    #[arg(long, value_name = "SCHEME", default_value = "auto", help_heading = "Initialisation")]
    #[arg(value_parser = init, visible_alias = "scheme")]
    pub(crate) init: InitChoice,
    /// Standard deviation of the preactivations for --init ours: a number, or auto for the value at
    /// which gradients keep their variance, Eq. 13 [default: twice that for pictures, six
    /// times for recordings].
    #[arg(long, value_name = "S", value_parser = sigma, help_heading = "Initialisation")]
    pub(crate) sigma_p: Option<Sigma>,
    /// Standard deviation of the network's first output, where it is not sigma_p.
    #[arg(long, value_name = "S", value_parser = positive, help_heading = "Initialisation")]
    pub(crate) last_sigma_p: Option<f64>,
    /// The distribution of the weights.
    #[arg(long, value_enum, default_value_t = Weights::Uniform, help_heading = "Initialisation")]
    pub(crate) weights: Weights,
    /// The first biases [default: zero for pictures, like-weights for recordings].
    #[arg(long, value_enum, help_heading = "Initialisation")]
    pub(crate) biases: Option<Biases>,
    /// The first layer's biases: zero, like-weights or uniform:B for U(-B, B) [default: those of
    /// --biases; where that is not typed and f(-x) = f(x), like-weights, which keeps the network from
    /// starting as an even function; with --preset paper as the paper has them].
    #[arg(long, value_name = "RULE", help_heading = "Initialisation")]
    pub(crate) first_bias: Option<BiasRule>,
    /// Decides the first weights and the order of mini-batches.
    #[arg(long, default_value_t = 0, help_heading = "Initialisation")]
    pub(crate) seed: u64,

    #[command(flatten)]
    pub(crate) training: TrainingArguments,

    /// End as soon as standard input does, as the children of a sweep must.
    #[arg(long, hide = true)]
    pub(crate) end_with_input: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
pub(crate) struct TrainingArguments {
    /// Steps at most [default: as many as take 30 to 40 s on two present cores for a picture, a minute
    /// for a recording, a minute and a half for a shape].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) steps: Option<u64>,
    /// Points of a step, shuffled anew each epoch, or `full` for all of them at each step
    /// [default: 4096; 6144 for shapes, whose points are drawn].
    #[arg(long, value_name = "N|full", value_parser = batch)]
    pub(crate) batch: Option<BatchSize>,
    /// What makes a step of a gradient: adam; muon (orthogonalised momentum for hidden weights, adam
    /// for the rest); kfac (second order, no learning rate, all points at each step)
    /// [default: kfac for pictures of at most 16384 pixels where none of --lr, --schedule, --lr-decay
    /// and --batch N is typed; else, and with --preset paper, adam].
    #[arg(long, value_name = "NAME", value_enum)]
    pub(crate) optimizer: Option<OptimizerName>,
    /// The first learning rate of adam [default: 5e-4] or muon.
    #[arg(long, value_name = "RATE", value_parser = positive)]
    pub(crate) lr: Option<f64>,
    /// How the learning rate falls [default: cosine, or exponential with --lr-decay].
    #[arg(long, value_enum)]
    pub(crate) schedule: Option<ScheduleKind>,
    /// Multiply the learning rate by this after each step (exponential schedule).
    #[arg(long, value_name = "FACTOR", value_parser = positive)]
    pub(crate) lr_decay: Option<f64>,
    /// Be done, files included, this many seconds after the start. The cosine schedule then ends
    /// with the time, so the result depends on the machine.
    #[arg(long, value_name = "SECONDS", value_parser = positive)]
    pub(crate) time_limit: Option<f64>,
    /// Stop at this PSNR in dB (peak 2) of the training loss.
    #[arg(long, value_name = "DB", value_parser = finite)]
    pub(crate) target_psnr: Option<f64>,
    /// The engine: fused float32, or plain double precision loops (slow, for comparison).
    #[arg(long, value_enum, default_value_t = EngineName::Cpu)]
    pub(crate) engine: EngineName,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

#[derive(Debug, Args)]
pub(crate) struct ThreadsAndJson {
    /// Worker threads; the result does not depend on them [default: one per core].
    #[arg(long, value_name = "N", value_parser = threads, help_heading = "General")]
    pub(crate) threads: Option<usize>,
    /// Print exactly one JSON object on standard output.
    #[arg(long, help_heading = "General")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct DecodeArguments {
    /// A model file or a run directory.
    pub(crate) model: PathBuf,
    /// The file to write: PNG for a picture, WAV for a recording.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Multiply both sides by K (rounded to whole pixels).
    #[arg(long, value_name = "K", value_parser = positive, conflicts_with = "size")]
    #[arg(help_heading = "Picture")]
    pub(crate) scale: Option<f64>,
    /// The size in pixels; the whole picture is stretched to it.
    #[arg(long, value_name = "WxH", value_parser = size, help_heading = "Picture")]
    pub(crate) size: Option<(u32, u32)>,
    /// Samples a second [default: those of the recording that was fitted].
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(1..))]
    #[arg(help_heading = "Recording")]
    pub(crate) rate: Option<u32>,
    /// How the file holds samples: whole numbers of 16 or 24 bits, beyond which they are clipped,
    /// or float32 [default: 16].
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = "Recording")]
    pub(crate) sample_format: Option<SampleFormatName>,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct MeshArguments {
    /// A model file or a run directory.
    pub(crate) model: PathBuf,
    /// The file to write: .ply (binary, with normals), .obj or .stl.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Cells a side of the grid over the shape's space; only those near the surface are visited.
    #[arg(long, value_name = "N", default_value_t = 512)]
    pub(crate) resolution: usize,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct EvalArguments {
    /// A model file or a run directory.
    pub(crate) model: PathBuf,
    /// The picture, recording or shape to compare with. One of another size than the model's is prepared
    /// (reduced, cropped, cut) as it was for the fit, unless options say otherwise.
    #[arg(value_name = "FILE", required_unless_present = "against")]
    pub(crate) file: Option<PathBuf>,
    /// The same as FILE.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub(crate) against: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) picture: PictureArguments,
    /// Points a side of the grid that a shape's IoU is measured on; the paper ends with 512.
    #[arg(long, value_name = "N", default_value_t = 128, help_heading = "Shape")]
    #[arg(value_parser = grid)]
    pub(crate) grid: usize,
    #[command(flatten)]
    pub(crate) sound: SoundArguments,
    #[command(flatten)]
    pub(crate) common: ThreadsAndJson,
}

#[derive(Debug, Args)]
#[command(args_override_self = true, allow_negative_numbers = true)]
pub(crate) struct InfoArguments {
    /// A model file or a run directory.
    pub(crate) model: PathBuf,
    /// Print exactly one JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A rule for the first weights as typed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum InitChoice {
    /// The activation's own, or ours.
    Auto,
    /// The paper's, with --sigma-p.
    Ours,
    /// The same from as many samples as the paper takes, with --sigma-p.
    Sampled,
    /// SIREN's, with the activation's own frequency.
    Siren,
    /// One that was typed with its parameters, or has none.
    Given(Scheme),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PresetName {
    Fast,
    Paper,
}

impl From<PresetName> for Preset {
    fn from(typed: PresetName) -> Self {
        match typed {
            PresetName::Fast => Self::Fast,
            PresetName::Paper => Self::Paper,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Weights {
    Uniform,
    Normal,
    /// Cut off at two standard deviations.
    TruncatedNormal,
    /// Rows of a scaled random orthogonal matrix.
    Orthogonal,
}

impl From<Weights> for WeightShape {
    fn from(typed: Weights) -> Self {
        match typed {
            Weights::Uniform => Self::Uniform,
            Weights::Normal => Self::Normal,
            Weights::TruncatedNormal => Self::TruncatedNormal,
            Weights::Orthogonal => Self::Orthogonal,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Biases {
    Zero,
    /// Drawn like the weights of their layer.
    LikeWeights,
}

impl From<Biases> for BiasRule {
    fn from(typed: Biases) -> Self {
        match typed {
            Biases::Zero => Self::Zero,
            Biases::LikeWeights => Self::LikeWeights,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScheduleKind {
    Constant,
    Exponential,
    Cosine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OptimizerName {
    Adam,
    Muon,
    Kfac,
}

impl From<OptimizerName> for OptimiserName {
    fn from(typed: OptimizerName) -> Self {
        match typed {
            OptimizerName::Adam => Self::Adam,
            OptimizerName::Muon => Self::Muon,
            OptimizerName::Kfac => Self::Kfac,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineName {
    Cpu,
    Reference,
}

/// A standard deviation as typed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Sigma {
    Auto,
    Given(f64),
}

/// Points of a step as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BatchSize {
    Full,
    Points(usize),
}
