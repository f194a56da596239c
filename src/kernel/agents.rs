//! Waits of the kernel's own, for requests that go on while their program does something else.
//!
//! An agent waits as a thread does, under a number below 0, and is run before the next thread's turn once what it waits for
//! may have come. What it is for is known to those who made it.

use super::*;
use std::collections::VecDeque;

/// The agents that wait, and those that have been woken, in that order.
#[derive(Debug, Default)]
pub(crate) struct Agents {
    waits: BTreeMap<Tid, Wait>,
    woken: VecDeque<Tid>,
    last: Tid,
}

impl Agents {
    /// What an agent waits for.
    pub(super) fn wait_of(&self, agent: Tid) -> Option<&Wait> {
        self.waits.get(&agent)
    }
}

impl Kernel {
    /// An agent that waits.
    pub(super) fn new_agent(&mut self, wait: Wait) -> Tid {
        self.agents.last = self.agents.last.checked_sub(1).unwrap_or(-1);
        let agent = self.agents.last;
        self.let_agent_wait(agent, wait);
        agent
    }

    /// Lets an agent that has been run wait again.
    pub(super) fn let_agent_wait(&mut self, agent: Tid, wait: Wait) {
        self.waiters.add(agent, &wait);
        self.agents.waits.insert(agent, wait);
    }

    /// Nothing is to be waited for any more.
    pub(super) fn dismiss_agent(&mut self, agent: Tid) {
        if let Some(wait) = self.agents.waits.remove(&agent) {
            self.waiters.remove(agent, &wait);
        }
        self.agents.woken.retain(|other| *other != agent);
    }

    /// What an agent waits for may have come.
    pub(super) fn wake_agent(&mut self, agent: Tid) {
        if let Some(wait) = self.agents.waits.remove(&agent) {
            self.waiters.remove(agent, &wait);
            self.agents.woken.push_back(agent);
        }
    }

    /// Runs the agents that have been woken.
    pub(super) fn run_agents(&mut self) {
        while let Some(agent) = self.agents.woken.pop_front() {
            self.look_at_poll(agent);
        }
    }
}
