//! The engine in memory, `ucurl demo`, as a child process: works on every machine, always starts
//! empty.

use super::child::ucurl;
use super::fake::url;
use super::temp::TempDir;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A demonstration engine, ended on drop.
pub struct Demo {
    child: Child,
    dir: TempDir,
}

impl Demo {
    pub fn start() -> Self {
        let dir = TempDir::new();
        let mut command = ucurl();
        command
            .args(["demo", "--listen", &url(&dir.join("s"))])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let child = command.stderr(Stdio::null()).spawn().expect("ucurl");
        let mut demo = Demo { child, dir };
        let end = Instant::now() + Duration::from_secs(60);
        while UnixStream::connect(demo.socket()).is_err() {
            let ended = demo.child.try_wait().ok().flatten();
            assert!(
                ended.is_none() && Instant::now() < end,
                "ucurl demo does not listen: {ended:?}"
            );
            thread::sleep(Duration::from_millis(2));
        }
        demo
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.join("s")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
