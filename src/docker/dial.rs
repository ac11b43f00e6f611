//! From the daemon that is meant to the connection that is made.

use super::endpoint::Endpoint;
use super::host::Address;
use crate::client::{Client, ClientBuilder};
use crate::transport::{self, EndpointError};
use std::path::PathBuf;

impl Endpoint {
    /// What the transport dials: a socket, or a program of the system where TLS or ssh is spoken.
    ///
    /// # Errors
    /// A host, user or socket that no program can be given.
    ///
    /// ```
    /// use unix_http::docker::{Endpoint, Flags, Process};
    ///
    /// let flags = Flags { host: Some("tcp://h:1/p".into()), ..Flags::default() };
    /// let endpoint = Endpoint::resolve(&Process, &flags)?;
    /// assert_eq!(endpoint.transport()?, unix_http::Endpoint::Tcp { host: "h".into(), port: 1 });
    /// assert_eq!(endpoint.prefix, "/p");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn transport(&self) -> Result<transport::Endpoint, EndpointError> {
        match (&self.address, &self.tls) {
            (Address::Unix(path), _) => Ok(transport::Endpoint::Unix(path.clone())),
            (Address::Abstract(name), _) => Ok(transport::Endpoint::Abstract(name.clone())),
            (Address::Tcp { host, port }, None) => {
                Ok(transport::Endpoint::Tcp { host: host.clone(), port: *port })
            }
            (Address::Tcp { host, port }, Some(tls)) => {
                transport::Endpoint::tls(host, *port, tls.clone())
            }
            (Address::Ssh(ssh), _) => {
                let socket = ssh.socket.as_ref().map(PathBuf::from);
                transport::Endpoint::ssh(ssh.user.as_deref(), &ssh.host, ssh.port, socket)
            }
        }
    }

    /// A client of this daemon, its path prefix included.
    ///
    /// # Errors
    /// As [`transport`](Endpoint::transport).
    pub fn client(&self) -> Result<ClientBuilder, EndpointError> {
        Ok(Client::builder(self.transport()?).prefix(&self.prefix))
    }
}
