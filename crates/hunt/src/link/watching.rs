//! What followed each reply, once all replies are known.

use super::{
    Carry, Draft, Host,
    effects::{Aftermath, Watch},
    shells,
};
use crate::{identity, processes::Instance};
use monologue_model::{EffectWindow, Exchange, Provenance, Sight, Timestamp, WitnessKind};
use std::collections::BTreeMap;

impl Host<'_> {
    /// Looks at the time after each reply, now that all replies are known.
    pub(super) fn watch_aftermath(&self, drafts: &mut [Draft], carry: &Carry) {
        let mut replies = carry.replies.clone();
        let roots: Vec<Option<(u32, &Instance)>> =
            drafts.iter().map(|draft| self.root_of(&draft.linked.exchange)).collect();
        for (draft, root) in drafts.iter_mut().zip(&roots) {
            draft.root = root.map(|(pid, _)| pid);
            let recorded = root.map(|(_, instance)| instance).filter(|instance| instance.started_by.is_some());
            draft.asker = recorded.and_then(|instance| Some((instance.image.key.pid?, instance.start)));
            if let (Some(pid), Some((from, _))) = (draft.root, draft.linked.answer) {
                replies.entry(pid).or_default().push(from);
            }
        }
        replies.values_mut().for_each(|times| times.sort_unstable());
        let remembered: BTreeMap<&Provenance, &Aftermath> =
            carry.aftermaths.iter().map(|(request, aftermath)| (request, aftermath)).collect();
        for (draft, root) in drafts.iter_mut().zip(&roots) {
            let Some((from, answered_at)) = draft.linked.answer else { continue };
            let known = draft.request().and_then(|request| remembered.get(request));
            let aftermath = match (known, root) {
                (Some(known), _) => (*known).clone(),
                (None, Some((pid, asker))) => {
                    let clock_error_ns = draft.linked.clock_error_ns;
                    let watch = Watch { asker, root: *pid, from, answered_at, clock_error_ns };
                    let others = replies.get(pid).map_or(&[][..], Vec::as_slice);
                    self.deeds.after(watch, others, self.table, self.coverage)
                }
                (None, None) => continue,
            };
            draft.aftermath = Some(aftermath.clone());
            draft.linked.followed_by(aftermath);
            self.watch_shell(&mut draft.linked.exchange, answered_at);
        }
        self.watch_contacts(drafts, &carry.contacts);
    }

    /// What the shell that started the program does with its output.
    fn watch_shell(&self, exchange: &mut Exchange, answered_at: Timestamp) {
        let Some(instance) = exchange.process.as_ref().and_then(|process| self.instance_of(&process.key)) else {
            return;
        };
        if let Some(effect) = shells::evaluation(self.table, instance, answered_at) {
            exchange.cites.push((WitnessKind::Effect, effect.provenance.clone()));
            exchange.effects.push(effect);
        } else if exchange.effect_window == EffectWindow::Seen && !shells::knows_reader(self.table, instance) {
            exchange.effect_window = EffectWindow::Unseen;
            exchange.seen.remove(Sight::FileEffect);
        }
    }

    /// The pid whose descendants act with the asking process: that of the script an interpreter runs for, else its own.
    fn root_of(&self, exchange: &Exchange) -> Option<(u32, &Instance)> {
        // What a delegate got is used by another process, and perhaps by more than one (a web view's content process).
        let image = exchange.process.as_ref().filter(|_| exchange.socket_owner.is_none())?;
        let instance = self.instance_of(&image.key)?;
        let own = instance.image.key.pid?;
        let path = instance.image.path.as_deref().filter(|path| identity::is_interpreter(path));
        let root = path.and_then(|path| identity::agent(self.table, instance, path)).and_then(|(_, pid)| pid);
        Some((root.unwrap_or(own), instance))
    }
}
