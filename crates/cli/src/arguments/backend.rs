//! What can be given after the commands that evaluate networks, and after `devices`.

use clap::Args;
use vi3nr_inr::backend::{BackendChoice, BackendRequest};

use super::values::{backend, whole};

#[derive(Debug, Args)]
#[command(next_help_heading = "Backend")]
pub(crate) struct BackendArguments {
    /// Backend: cpu, gpu, auto or reference [default: cpu]
    ///
    /// cpu computes in float32 and gives the same bytes for any number of threads. gpu uses a GPU
    /// through Vulkan or Metal. auto takes the GPU if it is faster, which it measures in a second or
    /// two. reference runs plain loops in double precision (slow, for comparison).
    #[arg(long, alias = "engine", value_name = "NAME", value_parser = backend())]
    #[arg(hide_short_help = true, hide_possible_values = true)]
    pub(crate) backend: Option<BackendChoice>,
    /// Number of the GPU, as `vi3nr devices` lists it [default: the first that is not software]
    ///
    /// For the backends gpu and auto.
    #[arg(long, value_name = "N", value_parser = whole::<usize>(0..=u64::MAX))]
    #[arg(hide_short_help = true)]
    pub(crate) device: Option<usize>,
}

impl BackendArguments {
    /// The backend with `threads` worker threads.
    pub(crate) fn request(&self, threads: Option<usize>) -> BackendRequest {
        BackendRequest { choice: self.backend, device: self.device, threads }
    }
}

#[derive(Debug, Args)]
pub(crate) struct DevicesArguments {
    /// Print one JSON object on standard output and nothing else
    #[arg(long)]
    pub(crate) json: bool,
}
