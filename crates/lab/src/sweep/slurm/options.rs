//! What a job array asks of the cluster.

use std::num::NonZeroUsize;

use super::SlurmError;

/// How the trials of a sweep are submitted. Values are passed to `sbatch` as they are; those that are
/// not given follow the cluster's defaults and the environment variables of `sbatch`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlurmOptions {
    /// The number of trials that a task runs, one after another; without it one.
    pub pack: Option<NonZeroUsize>,
    /// The number of processors of a task, which is the number of threads of its fits; without it one.
    pub cpus_per_task: Option<NonZeroUsize>,
    /// The partition, or several.
    pub partition: Option<String>,
    /// The time limit of a task, such as `2:00:00`. A trial that exceeds it continues from its
    /// checkpoint in another task.
    pub time: Option<String>,
    /// The memory of a task, such as `4G`.
    pub mem: Option<String>,
    /// Generic resources of a task, such as `gpu:1`.
    pub gres: Option<String>,
    /// The account.
    pub account: Option<String>,
    /// The quality of service.
    pub qos: Option<String>,
    /// Further options of `sbatch`, each as one word such as `--constraint=avx512`. They override the
    /// others, except those by which a sweep recognizes its jobs.
    pub sbatch: Vec<String>,
}

impl SlurmOptions {
    /// The number of trials that a task runs.
    pub(super) fn pack(&self) -> usize {
        self.pack.map_or(1, NonZeroUsize::get)
    }

    /// The options as words for `sbatch`.
    ///
    /// # Errors
    /// Returns [`SlurmError::Option`] if a word is not an option; `sbatch` would take it as a script.
    pub(super) fn words(&self) -> Result<Vec<String>, SlurmError> {
        let cpus = self.cpus_per_task.map_or(1, NonZeroUsize::get);
        // A task that Slurm starts again, for example after its node has failed, resumes its trials.
        let mut words = vec!["--requeue".to_owned(), format!("--cpus-per-task={cpus}")];
        for (name, value) in [
            ("partition", &self.partition),
            ("time", &self.time),
            ("mem", &self.mem),
            ("gres", &self.gres),
            ("account", &self.account),
            ("qos", &self.qos),
        ] {
            words.extend(value.iter().map(|value| format!("--{name}={value}")));
        }
        for option in &self.sbatch {
            if !option.starts_with('-') || option.trim_start_matches('-').is_empty() {
                return Err(SlurmError::Option { option: option.clone() });
            }
            words.push(option.clone());
        }
        Ok(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_words_and_the_users_come_last() {
        assert_eq!(SlurmOptions::default().words().unwrap(), ["--requeue", "--cpus-per-task=1"]);
        let options = SlurmOptions {
            cpus_per_task: NonZeroUsize::new(4),
            partition: Some("a,b".into()),
            time: Some("1-0:00".into()),
            mem: Some("4G".into()),
            gres: Some("gpu:1".into()),
            account: Some("it's".into()),
            qos: Some("high".into()),
            sbatch: vec!["--constraint=a b".into(), "-x node1".into()],
            ..SlurmOptions::default()
        };
        let expected = [
            "--requeue",
            "--cpus-per-task=4",
            "--partition=a,b",
            "--time=1-0:00",
            "--mem=4G",
            "--gres=gpu:1",
            "--account=it's",
            "--qos=high",
            "--constraint=a b",
            "-x node1",
        ];
        assert_eq!(options.words().unwrap(), expected);
    }

    #[test]
    fn a_word_that_is_not_an_option_is_refused() {
        for word in ["gpu", "", "-", "--", " --qos=high"] {
            let options = SlurmOptions { sbatch: vec![word.into()], ..SlurmOptions::default() };
            assert!(
                matches!(options.words(), Err(SlurmError::Option { option }) if option == word)
            );
        }
    }
}
