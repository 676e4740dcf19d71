//! Whether a connection gets on: the watchdog's state, and the bodies that report to it.
//!
//! Progress is a request in work here, or a piece of an answer taken by the client; bytes merely received are none,
//! or a dribbling client could hold its connection for ever.

use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Largest piece of an answer handed over at once. With the connection's write buffer it sets the slowest
/// client that still counts as progressing: about 4 KiB a second.
const PIECE: usize = 16 * 1024;

/// When a connection last got on, and how much is in work on our side.
#[derive(Clone)]
pub struct Progress(Arc<Mutex<State>>);

struct State {
    working: usize,
    last: Instant,
}

impl Progress {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State { working: 0, last: Instant::now() })))
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        state.last = Instant::now();
    }

    /// Marks work on our side until the mark is dropped.
    pub fn work(&self) -> Working {
        self.update(|state| state.working += 1);
        Working(self.clone())
    }

    /// Resolves when nothing has been in work and nothing got on for `idle`.
    pub async fn stalled(&self, idle: Duration) {
        loop {
            let due = {
                let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                if state.working > 0 { Instant::now() + idle } else { state.last + idle }
            };
            if due <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(due).await;
        }
    }
}

/// Work on our side: a handler running, or an answer whose next piece is not made yet.
pub struct Working(Progress);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.update(|state| state.working -= 1);
    }
}

pin_project! {
    /// An answer on its way: reports each piece the client takes, in pieces small enough to tell slow from stuck.
    pub struct Answer<B> {
        #[pin]
        inner: B,
        rest: Bytes,
        progress: Progress,
        // Held while we make the next piece: a slow producer of ours is not the client's stall.
        making: Option<Working>,
    }
}

impl<B> Answer<B> {
    pub fn new(inner: B, progress: Progress) -> Self {
        Self { inner, rest: Bytes::new(), progress, making: None }
    }
}

impl<B: Body<Data = Bytes>> Body for Answer<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        if this.rest.is_empty() {
            let frame = match this.inner.poll_frame(cx) {
                Poll::Pending => {
                    if this.making.is_none() {
                        *this.making = Some(this.progress.work());
                    }
                    return Poll::Pending;
                }
                Poll::Ready(frame) => frame,
            };
            *this.making = None;
            match frame.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => *this.rest = data,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        this.progress.update(|_| {});
        let piece = this.rest.split_to(this.rest.remaining().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, rest) = (self.inner.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

pin_project! {
    /// A request's body with a deadline for its last byte, so that no handler waits for a client that stopped sending.
    pub struct Received<B> {
        #[pin]
        inner: B,
        #[pin]
        deadline: Sleep,
    }
}

impl<B> Received<B> {
    pub fn new(inner: B, limit: Duration) -> Self {
        Self { inner, deadline: tokio::time::sleep(limit) }
    }
}

impl<B: Body<Data = Bytes, Error = io::Error>> Body for Received<B> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.project();
        if let Poll::Ready(frame) = this.inner.poll_frame(cx) {
            return Poll::Ready(frame);
        }
        ready!(this.deadline.poll(cx));
        Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::TimedOut, "the request's body did not arrive in time"))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
