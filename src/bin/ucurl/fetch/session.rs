//! The state that the transfers of one command line share.

use crate::args::config::Global;
use crate::args::exit::Exit;
use crate::output::failure::Failure;
use crate::output::messages::Messages;
use crate::output::trace::Tracer;
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::rc::Rc;
use std::sync::Arc;
use unix_http::client::ClientObserver;
use unix_http::docker::Engine;
use unix_http::{Client, Endpoint, Timeouts};

pub struct Session {
    pub messages: Messages,
    pub tracer: Arc<Tracer>,
    pub stdout: File,
    pub global: Global,
    pub servers: RefCell<Vec<Rc<Server>>>,
}

/// The client of one endpoint, with its facts about the server.
pub struct Server {
    pub engine: Engine,
    prefix: String,
    /// Whether the server has answered with HTTP/1.0 in this transfer, or on the kept connection.
    pub http10: Cell<bool>,
}

impl Session {
    /// Reports a failure and returns its exit code. `-v`, `--trace` and `--explain` show it even
    /// with `-s`.
    pub fn report(&self, failure: &Failure) -> Exit {
        let told = self.messages.error(failure);
        if !failure.quiet {
            self.tracer.failure(&failure.text, told);
        }
        failure.exit
    }

    /// Returns the server at an endpoint. Transfers to one endpoint share its connection.
    pub fn server(&self, endpoint: Endpoint, prefix: String, timeouts: Timeouts) -> Rc<Server> {
        let mut servers = self.servers.borrow_mut();
        let is = |server: &&Rc<Server>| {
            *server.engine.client().endpoint() == endpoint && server.prefix == prefix
        };
        if let Some(known) = servers.iter().find(is) {
            return Rc::clone(known);
        }
        // The limits also apply to requests outside the transfers, such as the one for the version.
        let builder = Client::builder(endpoint).prefix(&prefix).timeouts(timeouts);
        let tracer = Arc::clone(&self.tracer) as Arc<dyn ClientObserver>;
        let engine = Engine::new(builder.observer(tracer).build());
        let server = Rc::new(Server { engine, prefix, http10: Cell::new(false) });
        servers.push(Rc::clone(&server));
        server
    }
}
