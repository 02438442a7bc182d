//! Others who use the UFS, too: what they put there is found by whoever looks, sooner or later.

use crate::client::OUTSIDE;
use crate::coverage::Met;
use crate::effects::{ROOT, now};
use crate::model::{Call, Op, Seen};
use crate::world::{Action, MS, SECOND, World};
use alluxio::master::ops::inode_at;
use alluxio::types::AlluxioPath;
use alluxio::ufs::{Ufs, UfsOwnership};

impl World {
    /// Somebody puts something into the UFS.
    pub fn outsider_turn(&mut self) {
        if self.healing || self.put.len() == OUTSIDE.len() {
            return;
        }
        let pause = self.rng.range(100 * MS, 8 * SECOND);
        self.after(pause, Action::Outsider);
        let (path, is_directory) = OUTSIDE[self.rng.index(OUTSIDE.len())];
        self.put(path, is_directory);
    }

    /// Puts something into the UFS, if there is a directory for it. Nothing twice: who puts something where a master has
    /// just moved or deleted the like of it makes that look undone.
    fn put(&mut self, path: &'static str, is_directory: bool) {
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        let has_place = self.has_in_ufs(above).is_some_and(|directory| directory);
        let is_known = self.put.contains_key(path) || self.put.values().any(|at| at == path);
        if !has_place || is_known || self.has_in_ufs(path).is_some() {
            return;
        }
        let ownership = UfsOwnership { owner: "root".into(), group: "root".into(), mode: 0o755 };
        let uri = format!("{ROOT}{path}");
        if is_directory {
            now(self.ufs.mkdir(&uri, &ownership)).expect("there is place");
        } else {
            let file = now(self.ufs.create(&uri, &ownership)).expect("there is place");
            now(file.close()).expect("it is empty");
        }
        self.note(|| format!("somebody puts {path} into the UFS"));
        self.coverage.met(Met::Outside);
        self.put.insert(path, path.to_owned());
        self.put_at = self.now;
        self.may_be_found(path, is_directory);
    }

    /// Whoever looks finds it, at any time from now on, or never if it is deleted unseen.
    fn may_be_found(&mut self, path: &'static str, is_directory: bool) {
        let op = if is_directory { Op::Mkdir(path) } else { Op::Create(path) };
        self.history.push(Call { op, asked: self.now, heard: self.now, seen: Seen::Unknown, inode: None });
        self.options.operations += 1;
    }

    /// Something was moved in the UFS: what lies in it and was not seen yet may be found at its new place.
    pub fn moved(&mut self, from: &str, to: &str) {
        let below = format!("{}/", &from[ROOT.len()..]);
        for (path, is_directory) in OUTSIDE {
            let Some(at) = self.put.get_mut(path) else { continue };
            let Some(rest) = at.strip_prefix(&below) else { continue };
            let moved = format!("{}/{rest}", &to[ROOT.len()..]);
            at.clone_from(&moved);
            if self.has_in_ufs(&moved).is_some() {
                self.may_be_found(moved.leak(), is_directory);
            }
        }
    }

    /// Whether something is in the UFS, and whether it is a directory.
    fn has_in_ufs(&self, path: &str) -> Option<bool> {
        let status = now(self.ufs.status(&format!("{ROOT}{path}")));
        status.expect("a UFS in memory does not fail").map(|status| status.directory)
    }

    /// What is deleted with a tree is known to the namespace, but for what was put there when it had been compared.
    pub fn check_delete(&self, host: usize, uri: &str, since: u64) -> Result<(), String> {
        let state = &self.hosts[host].process.as_ref().expect("it asks for it").core.state;
        for below in self.ufs.paths().iter().filter(|below| below.starts_with(&format!("{uri}/"))) {
            let path = AlluxioPath::parse(below[ROOT.len()..].trim_end_matches('/')).map_err(|e| e.to_string())?;
            if inode_at(state, &path).is_none() && self.put_at < since {
                return Err(format!("host {host} deletes {path} in the UFS, which it does not know"));
            }
        }
        Ok(())
    }

    /// In the end clients look for what others may put into the UFS, and once more when they have done so. Whether that is
    /// still to be done.
    pub fn look_for_all(&mut self) -> bool {
        if !self.options.outsiders || self.looked_for == 2 {
            return false;
        }
        self.looked_for += 1;
        self.last = if self.looked_for == 1 {
            OUTSIDE.iter().map(|(path, _)| Op::Stat(path)).collect()
        } else {
            OUTSIDE.iter().for_each(|(path, is_directory)| self.put(path, *is_directory));
            self.put.values().map(|path| Op::Stat(path.clone().leak())).collect()
        };
        self.options.operations = self.history.len() + self.last.len();
        // What was absent is not looked for again for a second.
        self.rest_until = self.now + 2 * SECOND;
        self.after(0, Action::ClientTurn { client: 0 });
        true
    }

    /// In the end nothing is in the UFS that the namespace lacks: what was looked for has been found, and all else was
    /// made by the masters.
    pub fn check_leftovers(&self) -> Result<(), String> {
        let leader = self.leader().ok_or("nobody leads in the end")?;
        let state = &self.hosts[leader].process.as_ref().expect("it leads").core.state;
        for uri in self.ufs.paths() {
            let path = uri[ROOT.len()..].trim_end_matches('/');
            let path = AlluxioPath::parse(if path.is_empty() { "/" } else { path }).map_err(|e| e.to_string())?;
            if inode_at(state, &path).is_none() {
                return Err(format!("{path} is in the UFS, and not in the namespace"));
            }
        }
        Ok(())
    }
}
