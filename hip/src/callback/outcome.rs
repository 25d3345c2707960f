//! The outcome of a function that another thread calls: for a thread that waits, or a task that is polled.

use std::any::Any;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

/// What a function returned, or the panic that ended it.
pub(super) type Returned<R> = Result<R, Box<dyn Any + Send>>;

enum State<R> {
    /// Not called yet; the task that wants to know.
    Waiting(Option<Waker>),
    Called(Returned<R>),
    /// The function was dropped without being called.
    Dropped,
}

struct Shared<R> {
    state: Mutex<State<R>>,
    changed: Condvar,
}

impl<R> Shared<R> {
    fn state(&self) -> MutexGuard<'_, State<R>> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Ends the waiting; the task is woken outside of the lock.
    fn end(&self, end: State<R>) {
        let before = {
            let mut state = self.state();
            match &*state {
                State::Waiting(_) => std::mem::replace(&mut *state, end),
                State::Called(_) | State::Dropped => return,
            }
        };
        self.changed.notify_all();
        if let State::Waiting(Some(waker)) = before {
            waker.wake();
        }
    }
}

/// The end of whoever calls the function.
pub(super) struct Promise<R>(Arc<Shared<R>>);

/// The end of whoever wants to know.
pub(super) struct Outcome<R>(Arc<Shared<R>>);

pub(super) fn pair<R>() -> (Promise<R>, Outcome<R>) {
    let shared = Arc::new(Shared { state: Mutex::new(State::Waiting(None)), changed: Condvar::new() });
    (Promise(shared.clone()), Outcome(shared))
}

impl<R> Promise<R> {
    pub(super) fn keep(self, returned: Returned<R>) {
        self.0.end(State::Called(returned));
    }
}

impl<R> Drop for Promise<R> {
    fn drop(&mut self) {
        self.0.end(State::Dropped);
    }
}

impl<R> Outcome<R> {
    /// Waits in this thread. `None` when the function was dropped.
    pub(super) fn wait(self) -> Option<Returned<R>> {
        let mut state = self.0.state();
        while matches!(*state, State::Waiting(_)) {
            state = self.0.changed.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        take(&mut state)
    }

    /// The outcome, if there is one already. Asked again after it was given, it is that of a dropped function.
    pub(super) fn take(&self) -> Option<Option<Returned<R>>> {
        let mut state = self.0.state();
        (!matches!(*state, State::Waiting(_))).then(|| take(&mut state))
    }

    pub(super) fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Returned<R>>> {
        let mut state = self.0.state();
        match &mut *state {
            State::Waiting(Some(known)) if known.will_wake(context.waker()) => Poll::Pending,
            State::Waiting(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            State::Called(_) | State::Dropped => Poll::Ready(take(&mut state)),
        }
    }
}

fn take<R>(state: &mut State<R>) -> Option<Returned<R>> {
    match std::mem::replace(state, State::Dropped) {
        State::Called(returned) => Some(returned),
        State::Waiting(_) | State::Dropped => None,
    }
}
