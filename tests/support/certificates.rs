//! Certificates of a throwaway CA, created by the system's openssl.

use super::needs;
use super::temp::TempDir;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Returns a directory with `ca.pem`, `other-ca.pem` and the certificates that they signed, each
/// with its `.key`: `server.pem` for localhost and 127.0.0.1, `elsewhere.pem` for other names,
/// `expired.pem`, `client.pem`, and `other-client.pem` of the other CA. `empty.pem` contains no
/// certificate. The running tests share the directory, and the last one removes it. Returns `None`
/// without openssl.
pub fn certificates() -> Option<Arc<TempDir>> {
    static SHARED: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());
    needs::program("openssl")?;
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(dir) = shared.upgrade() {
        return Some(dir);
    }
    let dir = Arc::new(make());
    *shared = Arc::downgrade(&dir);
    Some(dir)
}

const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

fn make() -> TempDir {
    let dir = TempDir::new();
    for ca in ["ca", "other-ca"] {
        openssl(
            dir.path(),
            &format!("req -x509 {KEY} -keyout {ca}.key -out {ca}.pem -days 2 -subj /CN={ca}"),
        );
    }
    let sign = |name: &str, ca: &str, extension: &str, days: i32| {
        openssl(
            dir.path(),
            &format!("req {KEY} -keyout {name}.key -out {name}.csr -subj /CN={name}"),
        );
        dir.write("extension", extension);
        let signed = format!(
            "-in {name}.csr -CA {ca}.pem -CAkey {ca}.key -CAcreateserial -extfile extension"
        );
        openssl(dir.path(), &format!("x509 -req {signed} -days {days} -out {name}.pem"));
    };
    sign("server", "ca", "subjectAltName=DNS:localhost,IP:127.0.0.1", 2);
    sign("elsewhere", "ca", "subjectAltName=DNS:elsewhere.example,IP:192.0.2.1", 2);
    sign("expired", "ca", "subjectAltName=DNS:localhost", -1);
    sign("client", "ca", "extendedKeyUsage=clientAuth", 2);
    sign("other-client", "other-ca", "extendedKeyUsage=clientAuth", 2);
    fs::write(dir.join("empty.pem"), "no certificate\n").expect("a file in a private directory");
    dir
}

fn openssl(dir: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(dir)
        .output()
        .expect("openssl");
    assert!(
        output.status.success(),
        "openssl {arguments}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
