//! `std::sync::mpsc`: channels with any number of senders and one receiver.
//!
//! Sending and receiving are points, and so are the drops that the other side can notice: the last
//! sender's and the receiver's.

use super::{Object, PoisonError};
use crate::explore::run::Class;
use pagerace_core::sync::Kind;
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

/// What both sides share.
struct Channel<T> {
    object: Object,
    state: Mutex<State<T>>,
    /// How many messages it holds; none for as many as are sent.
    room: Option<usize>,
}

struct State<T> {
    messages: VecDeque<T>,
    senders: usize,
    /// The receiver is there.
    receives: bool,
    /// It waits for a message.
    waits: bool,
    /// Messages put in and taken out so far.
    put: u64,
    taken: u64,
}

impl<T> Channel<T> {
    fn new(room: Option<usize>) -> Arc<Self> {
        let state = State {
            messages: VecDeque::new(),
            senders: 1,
            receives: true,
            waits: false,
            put: 0,
            taken: 0,
        };
        Arc::new(Self { object: Object::new(Class::Channel), state: Mutex::new(state), room })
    }

    /// Not held across a point, nor while a message is dropped.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message in if there is room for it. Returns its number.
    fn put(&self, message: T) -> Result<u64, TrySendError<T>> {
        let mut state = self.state();
        // A message for which there is no room stands in line while it is handed over.
        let room = self.room.is_none_or(|room| state.messages.len() < room.max(1));
        if !state.receives {
            return Err(TrySendError::Disconnected(message));
        }
        if !room {
            return Err(TrySendError::Full(message));
        }
        state.messages.push_back(message);
        state.put += 1;
        Ok(state.put)
    }

    fn send(&self, mut message: T, at: &'static Location<'static>) -> Result<(), SendError<T>> {
        self.object.before(Kind::Store, "send", at);
        let put = loop {
            match self.put(message) {
                Ok(put) => break Ok(put),
                Err(TrySendError::Disconnected(message)) => break Err(SendError(message)),
                Err(TrySendError::Full(back)) => message = back,
            }
            self.object.wait();
        };
        Object::after(put.is_ok());
        let put = put?;
        self.object.wake();
        if self.room == Some(0) {
            return self.handed_over(put, at);
        }
        Ok(())
    }

    /// In a channel that holds nothing, waits until this message was taken.
    fn handed_over(&self, put: u64, at: &'static Location<'static>) -> Result<(), SendError<T>> {
        loop {
            {
                let mut state = self.state();
                if state.taken >= put {
                    return Ok(());
                }
                if !state.receives
                    && let Some(message) = state.messages.pop_front()
                {
                    return Err(SendError(message));
                }
            }
            self.object.wait_for("send", at);
        }
    }

    fn try_send(&self, message: T, at: &'static Location<'static>) -> Result<(), TrySendError<T>> {
        self.object.before(Kind::Store, "try_send", at);
        let waited_for = self.room != Some(0) || self.state().waits;
        let sent = if waited_for { self.put(message) } else { Err(TrySendError::Full(message)) };
        Object::after(sent.is_ok());
        self.object.wake();
        sent.map(drop)
    }

    fn take(&self) -> Result<T, TryRecvError> {
        let mut state = self.state();
        match state.messages.pop_front() {
            Some(message) => {
                state.taken += 1;
                Ok(message)
            }
            None if state.senders == 0 => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Takes a message; as long as there is none, `wait` says whether to look again.
    fn receive(
        &self,
        word: &'static str,
        at: &'static Location<'static>,
        mut wait: impl FnMut() -> bool,
    ) -> Result<T, TryRecvError> {
        self.object.before(Kind::Swap, word, at);
        let taken = loop {
            match self.take() {
                Err(TryRecvError::Empty) => {}
                taken => break taken,
            }
            self.state().waits = true;
            let again = wait();
            self.state().waits = false;
            if !again {
                break self.take();
            }
        };
        Object::after(taken.is_ok());
        self.object.wake();
        taken
    }

    fn sender_gone(&self) {
        let is_last = self.state().senders == 1;
        if is_last {
            self.object.before_drop(Kind::Dec, "drop_sender");
        }
        self.state().senders -= 1;
        if is_last {
            Object::after(true);
            self.object.wake();
        }
    }

    fn receiver_gone(&self) {
        self.object.before_drop(Kind::Dec, "drop_receiver");
        let messages = {
            let mut state = self.state();
            state.receives = false;
            // A sender that waits for its message to be taken gets it back.
            if self.room == Some(0) { VecDeque::new() } else { std::mem::take(&mut state.messages) }
        };
        Object::after(true);
        self.object.wake();
        drop(messages);
    }
}

/// A channel that holds as many messages as are sent.
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let channel = Channel::new(None);
    (Sender(Arc::clone(&channel)), Receiver(channel))
}

/// A channel that holds at most `room` messages. With none, sending waits until the message is taken.
#[must_use]
pub fn sync_channel<T>(room: usize) -> (SyncSender<T>, Receiver<T>) {
    let channel = Channel::new(Some(room));
    (SyncSender(Arc::clone(&channel)), Receiver(channel))
}

macro_rules! sender {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name<T>(Arc<Channel<T>>);

        impl<T> $name<T> {
            /// Sends a message.
            ///
            /// # Errors
            /// The message, if the receiver is gone.
            #[track_caller]
            pub fn send(&self, message: T) -> Result<(), SendError<T>> {
                self.0.send(message, Location::caller())
            }
        }

        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                self.0.state().senders += 1;
                Self(Arc::clone(&self.0))
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                self.0.sender_gone();
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

sender!(
    /// The side of a channel that sends and never waits.
    Sender
);
sender!(
    /// The side of a channel that sends, and waits for room.
    SyncSender
);

impl<T> SyncSender<T> {
    /// Sends a message if there is room, or, in a channel that holds none, if the receiver waits.
    ///
    /// # Errors
    /// The message, if there is not, or the receiver is gone.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.0.try_send(message, Location::caller())
    }
}

/// The side of a channel that receives.
pub struct Receiver<T>(Arc<Channel<T>>);

impl<T> Receiver<T> {
    fn recv_at(&self, at: &'static Location<'static>) -> Result<T, RecvError> {
        let wait = || {
            self.0.object.wait();
            true
        };
        self.0.receive("recv", at, wait).map_err(|_| RecvError)
    }

    /// Takes the next message, waiting for it if need be.
    ///
    /// # Errors
    /// If there is none and all senders are gone.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_at(Location::caller())
    }

    fn try_recv_at(&self, at: &'static Location<'static>) -> Result<T, TryRecvError> {
        self.0.receive("try_recv", at, || false)
    }

    /// Takes the next message if there is one.
    ///
    /// # Errors
    /// If there is not, and whether one may still come.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.try_recv_at(Location::caller())
    }

    /// Takes the next message, waiting for it if need be until the schedule lets the time be over.
    ///
    /// # Errors
    /// If there was none in time, or none can come any more.
    #[track_caller]
    pub fn recv_timeout(&self, time: Duration) -> Result<T, RecvTimeoutError> {
        // However long it is, the others may take longer.
        let _ = time;
        let at = Location::caller();
        let wait = || {
            self.0.object.wait_some_time("recv_timeout", at);
            false
        };
        self.0.receive("recv_timeout", at, wait).map_err(|error| match error {
            TryRecvError::Empty => RecvTimeoutError::Timeout,
            TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
        })
    }

    /// The messages that come, until all senders are gone.
    #[track_caller]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self, at: Location::caller() }
    }

    /// The messages that are there.
    #[track_caller]
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self, at: Location::caller() }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.0.receiver_gone();
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

/// See [`Receiver::iter`].
#[derive(Debug)]
pub struct Iter<'a, T> {
    receiver: &'a Receiver<T>,
    at: &'static Location<'static>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        self.receiver.recv_at(self.at).ok()
    }
}

/// See [`Receiver::try_iter`].
#[derive(Debug)]
pub struct TryIter<'a, T> {
    receiver: &'a Receiver<T>,
    at: &'static Location<'static>,
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv_at(self.at).ok()
    }
}

/// The messages of a receiver that goes with them.
#[derive(Debug)]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
    at: &'static Location<'static>,
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;
    fn next(&mut self) -> Option<T> {
        self.receiver.recv_at(self.at).ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;
    #[track_caller]
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;
    #[track_caller]
    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self, at: Location::caller() }
    }
}
