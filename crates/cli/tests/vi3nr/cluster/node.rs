//! A cluster with Slurm that consists of this machine, in a temporary folder.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The longest time to wait for a daemon or a job.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running cluster. Its daemons and files are removed with it.
pub(super) struct Node {
    /// Dropped last.
    daemons: Vec<Child>,
    folder: tempfile::TempDir,
}

impl Node {
    /// Starts a cluster, or says why there is none.
    pub(super) fn start() -> Result<Self, String> {
        let user = Command::new("id").arg("-u").output().map_err(|error| error.to_string())?;
        if user.stdout.trim_ascii() != b"0" {
            return Err("it is started as root only".into());
        }
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        // munged wants its socket to be reachable by all users.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut node = Self { daemons: Vec::new(), folder };
        node.daemon("munged", &node.munged())?;
        node.wait_for("munged", |node| node.path("munge.socket").exists())?;
        let host = node.output("hostname", &["-s"])?;
        fs::write(node.path("slurm.conf"), node.configuration(host.trim())).unwrap();
        for folder in ["state", "spool"] {
            fs::create_dir(node.path(folder)).unwrap();
        }
        node.daemon("slurmctld", &["-D".into()])?;
        node.daemon("slurmd", &["-D".into(), "-N".into(), host.trim().into()])?;
        node.wait_for("slurmd", |node| {
            node.output("sinfo", &["--noheader", "--format=%t"]).is_ok_and(|it| it.trim() == "idle")
        })?;
        Ok(node)
    }

    /// The environment in which the commands find this cluster.
    pub(super) fn configuration_file(&self) -> PathBuf {
        self.path("slurm.conf")
    }

    /// The standard output of a command.
    pub(super) fn output(&self, program: &str, words: &[&str]) -> Result<String, String> {
        let output = self.command(program).args(words).output();
        let output: Output = output.map_err(|error| format!("{program}: {error}"))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(format!("{program}: {}", String::from_utf8_lossy(&output.stderr))),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program, whose search path includes that of daemons.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin:/sbin"));
        command.env("SLURM_CONF", self.configuration_file());
        command
    }

    fn daemon(&mut self, program: &str, words: &[String]) -> Result<(), String> {
        let log = fs::File::create(self.path(&format!("{program}.output"))).unwrap();
        let daemon = self
            .command(program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.daemons.push(daemon.map_err(|error| format!("{program}: {error}"))?);
        Ok(())
    }

    /// Waits until `is_ready`, while the last daemon runs.
    fn wait_for(&mut self, program: &str, is_ready: fn(&Self) -> bool) -> Result<(), String> {
        let began = Instant::now();
        while !is_ready(self) {
            let ended = self.daemons.last_mut().and_then(|daemon| daemon.try_wait().ok().flatten());
            if ended.is_some() || began.elapsed() > PATIENCE {
                let said = fs::read_to_string(self.path(&format!("{program}.output")));
                return Err(format!("{program} does not start: {}", said.unwrap_or_default()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn munged(&self) -> Vec<String> {
        let key: Vec<u8> = (0..=255).cycle().take(1024).collect();
        fs::write(self.path("munge.key"), key).unwrap();
        fs::set_permissions(self.path("munge.key"), fs::Permissions::from_mode(0o600)).unwrap();
        let mut words = vec!["--foreground".to_owned()];
        for name in ["socket", "pid", "log", "seed", "key"] {
            let option = if name == "socket" { "socket".into() } else { format!("{name}-file") };
            words.push(format!("--{option}={}", self.path(&format!("munge.{name}")).display()));
        }
        words
    }

    /// The configuration: eight processors, whatever the machine has, and no delays of the scheduler.
    fn configuration(&self, host: &str) -> String {
        // Ports that are free now.
        let listeners = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let [control, node] = listeners.map(|own| own.local_addr().unwrap().port());
        let folder = self.folder.path().display();
        format!(
            "ClusterName=test\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser=root\n\
             AuthType=auth/munge\nAuthInfo=socket={folder}/munge.socket\n\
             SlurmctldPort={control}\nSlurmdPort={node}\n\
             StateSaveLocation={folder}/state\nSlurmdSpoolDir={folder}/spool\n\
             SlurmctldPidFile={folder}/slurmctld.pid\nSlurmdPidFile={folder}/slurmd.pid\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nMpiDefault=none\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\n\
             AccountingStorageType=accounting_storage/none\nJobAcctGatherType=jobacct_gather/none\n\
             SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=10000\n\
             ReturnToService=2\nKillWait=5\nSlurmdParameters=config_overrides\n\
             NodeName={host} NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN\n\
             PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
        )
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if self.daemons.len() > 2 {
            let _ = self.output("scancel", &["--user=root"]);
            let began = Instant::now();
            let is_busy = |node: &Self| {
                node.output("squeue", &["--noheader"]).is_ok_and(|text| !text.trim().is_empty())
            };
            while is_busy(self) && began.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        for daemon in self.daemons.iter_mut().rev() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

/// Waits until `is_so`.
pub(super) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "waited too long until {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The processes whose command lines contain all of `words`.
pub(super) fn processes(words: &[&str]) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let line = fs::read(Path::new("/proc").join(entry.file_name()).join("cmdline"));
        let line = String::from_utf8_lossy(&line.unwrap_or_default()).replace('\0', " ");
        if words.iter().all(|word| line.contains(word)) {
            found.push(id);
        }
    }
    found
}
