//! What the transfers of one command line share.

use crate::output::messages::Messages;
use crate::output::sink::Stdout;
use crate::output::trace::Tracer;
use crate::output::writeout::{self, OutputStream, TransferInfo};
use crate::plan::MeterStyle;
use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::rc::Rc;
use std::sync::Arc;
use unix_http::client::ClientObserver;
use unix_http::docker::Engine;
use unix_http::{Client, Endpoint, Timeouts};

pub struct Session {
    pub messages: Messages,
    pub tracer: Arc<Tracer>,
    pub stdout: Stdout,
    pub styled: bool,
    pub meter: Option<MeterStyle>,
    pub servers: RefCell<Vec<Rc<Server>>>,
}

/// The client of one endpoint, with what it has learned about its server.
pub struct Server {
    pub engine: Engine,
    prefix: String,
    /// On the connection that is kept, the server speaks HTTP/1.0.
    pub http10: Cell<bool>,
}

impl Session {
    /// The server at an endpoint; transfers to one endpoint share its connection.
    pub fn server(&self, endpoint: Endpoint, prefix: String, timeouts: Timeouts) -> Rc<Server> {
        let mut servers = self.servers.borrow_mut();
        let is = |server: &&Rc<Server>| {
            *server.engine.client().endpoint() == endpoint && server.prefix == prefix
        };
        if let Some(known) = servers.iter().find(is) {
            return Rc::clone(known);
        }
        // The limits also hold for requests beside the transfers, such as that for the version.
        let mut builder = Client::builder(endpoint).prefix(&prefix).timeouts(timeouts);
        if self.tracer.wanted {
            builder = builder.observer(Arc::clone(&self.tracer) as Arc<dyn ClientObserver>);
        }
        let engine = Engine::new(builder.build());
        let server = Rc::new(Server { engine, prefix, http10: Cell::new(false) });
        servers.push(Rc::clone(&server));
        server
    }

    /// `-w`
    pub fn write_out(&self, format: &[u8], info: &TransferInfo) {
        for (stream, text) in writeout::render(format, info) {
            match stream {
                OutputStream::Stdout => _ = (&self.stdout.file).write_all(&text),
                // As in curl, `--stderr` does not change this.
                OutputStream::Stderr => _ = std::io::stderr().write_all(&text),
            }
        }
    }
}
