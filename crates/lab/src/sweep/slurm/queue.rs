//! The tasks of a sweep in the queue, as `squeue` prints them.

/// The fields that `squeue` prints of each task: name, job, index, state, nodes and reason. The reason
/// may contain the separator and is last.
pub(super) const FORMAT: &str = "%j|%F|%K|%T|%N|%r";

/// The states of a job that has ended. In all others Slurm may still start or continue it.
const ENDED: [&str; 10] = [
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "REVOKED",
    "TIMEOUT",
];
/// The states of a job that waits to be started, for the first time or again.
const WAITING: [&str; 6] =
    ["PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT"];

/// Whether a task runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It waits.
    Waiting,
    /// It runs, or its processes are being ended.
    Running,
    /// It has ended. Slurm forgets such tasks after some minutes.
    Ended,
}

/// A task of a job array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    /// The number of the submission.
    pub(super) submission: u64,
    /// The number of the job array.
    pub(super) job: String,
    /// The index in the array.
    pub(super) index: usize,
    /// The stage.
    pub(super) stage: Stage,
    /// The state as Slurm calls it, with the nodes and the reason.
    pub(super) state: String,
    /// Why it waits.
    pub(super) reason: String,
}

impl Task {
    /// Whether the task waits or runs.
    pub(super) fn is_live(&self) -> bool {
        self.stage != Stage::Ended
    }

    /// The task as Slurm names it.
    pub(super) fn name(&self) -> String {
        format!("{}_{}", self.job, self.index)
    }
}

/// The tasks among the lines of `squeue` whose name is `name` followed by the number of a submission.
/// Returns the line that cannot be read as an error.
pub(super) fn parse(text: &str, name: &str) -> Result<Vec<Task>, String> {
    let mut tasks = Vec::new();
    for line in text.lines() {
        let own = line.strip_prefix(name).and_then(|rest| rest.split_once('|'));
        let Some((Ok(submission), rest)) = own.map(|(number, rest)| (number.parse(), rest)) else {
            continue;
        };
        let fields: Vec<&str> = rest.splitn(5, '|').collect();
        let [job, index, state, nodes, reason] = fields[..] else { return Err(line.into()) };
        let Ok(index) = index.parse() else { return Err(line.into()) };
        let stage = match state {
            _ if ENDED.contains(&state) => Stage::Ended,
            _ if WAITING.contains(&state) => Stage::Waiting,
            _ => Stage::Running,
        };
        let mut described = state.to_owned();
        if !matches!(reason, "None" | "") {
            described += &format!(", {reason}");
        }
        if !nodes.is_empty() {
            described += &format!(", on {nodes}");
        }
        let (job, reason) = (job.to_owned(), reason.to_owned());
        tasks.push(Task { submission, job, index, stage, state: described, reason });
    }
    Ok(tasks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_queue_are_read() {
        let text = "vi3nr-s-0f-1|12|0|RUNNING|node1|None\n\
                    vi3nr-s-0f-1|12|1|PENDING||Resources\n\
                    vi3nr-s-0f-12|9|1000|TIMEOUT|node[1-2]|TimeLimit\n\
                    vi3nr-s-0f-12|9|7|COMPLETING|node2|None\n\
                    vi3nr-s-0f-x|1|1|RUNNING|node1|None\n\
                    vi3nr-s-0f0-1|1|1|RUNNING|node1|None\n\
                    CLUSTER: one\n\
                    other|job|with|bars\n\n\
                    vi3nr-s-0f-2|12|3|REQUEUE_HOLD||launch failed | held\n";
        let tasks = parse(text, "vi3nr-s-0f-").unwrap();
        let seen: Vec<_> = tasks
            .iter()
            .map(|task| (task.submission, task.name(), task.stage, task.state.as_str()))
            .collect();
        assert_eq!(
            seen,
            [
                (1, "12_0".into(), Stage::Running, "RUNNING, on node1"),
                (1, "12_1".into(), Stage::Waiting, "PENDING, Resources"),
                (12, "9_1000".into(), Stage::Ended, "TIMEOUT, TimeLimit, on node[1-2]"),
                (12, "9_7".into(), Stage::Running, "COMPLETING, on node2"),
                (2, "12_3".into(), Stage::Waiting, "REQUEUE_HOLD, launch failed | held"),
            ]
        );
        assert_eq!(tasks[1].reason, "Resources");
        assert!(tasks[3].is_live() && !tasks[2].is_live());
        assert_eq!(parse("", "vi3nr-s-0f-").unwrap(), []);
    }

    #[test]
    fn what_is_not_a_task_of_an_array_is_an_error() {
        for line in ["n-1|12|0-3%2|PENDING||None", "n-1|12|N/A|RUNNING|a|None", "n-1|12|0|RUNNING"]
        {
            assert_eq!(parse(&format!("other\n{line}\n"), "n-"), Err(line.to_owned()));
        }
    }
}
