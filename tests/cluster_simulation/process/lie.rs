//! What a dishonest worker says.

use forklore::cluster::state::FromWorker;

use super::{Process, Program, Up};
use crate::broken::Checked;
use crate::step::{Kind, Lie};

impl Process {
    pub(crate) fn lie(&mut self, lie: Lie) -> Checked {
        if self.kind != Kind::Liar {
            return Ok(());
        }
        let (message, numbered) = match lie {
            Lie::Online => (FromWorker::Online, true),
            Lie::Answer { ack, accepted } => (FromWorker::Answer { ack, accepted }, true),
            Lie::Query { port, numbered } => (FromWorker::QueryServer(port.query()), numbered),
            Lie::Flood { port, count } => {
                return self.act(|program, sent| {
                    if let Program::Stub(stub) = program {
                        (0..count).for_each(|_| stub.say(FromWorker::QueryServer(port.query()), sent));
                    }
                    Ok(())
                });
            }
            Lie::Listening { port } => (FromWorker::Listening(port.query()), true),
            Lie::Close { port } => (FromWorker::Close { key: port.key().into() }, true),
            Lie::Closed { port, count } => (FromWorker::Closed { key: port.key().into(), count }, true),
            Lie::Leaves { numbered } => (FromWorker::ExitedAfterDisconnect, numbered),
            Lie::Garbage => {
                self.failed |= self.runs && !self.hangs;
                return Ok(());
            }
        };
        self.act(|program, sent| {
            if let Program::Stub(stub) = program {
                stub.say(message, sent);
            }
            Ok(())
        })?;
        if let (false, Some(Up::Message(seq, _))) = (numbered, self.up.back_mut()) {
            *seq = None;
        }
        Ok(())
    }
}
