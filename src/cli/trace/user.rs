//! The user as whom a traced program runs (`-u`): passwd(5), group(5), credentials(7).

use super::Refusal;
use rustix::process::{Gid, Uid};

/// Ids of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

/// The user with this name, in strace's words if there is none.
pub fn find(name: &str) -> Result<Identity, Refusal> {
    if !rustix::process::geteuid().is_root() {
        return Err(Refusal::plain("You must be root to use the -u/--username option"));
    }
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let (users, groups) = (read("/etc/passwd"), read("/etc/group"));
    parse(name, &users, &groups).ok_or_else(|| Refusal::plain(format!("Cannot find user '{name}'")))
}

fn parse(name: &str, users: &str, groups: &str) -> Option<Identity> {
    let fields = |line: &str| line.split(':').map(String::from).collect::<Vec<_>>();
    let user = users.lines().map(fields).find(|f| f.len() > 3 && f[0] == name)?;
    let (uid, gid) = (user[2].parse().ok()?, user[3].parse().ok()?);
    let member = |line: Vec<String>| {
        let is_in = line.get(3)?.split(',').any(|m| m == name);
        is_in.then(|| line.get(2)?.parse().ok()).flatten()
    };
    let mut all = vec![gid];
    all.extend(groups.lines().map(fields).filter_map(member).filter(|g: &u32| *g != gid));
    Some(Identity { uid, gid, groups: all })
}

impl Identity {
    /// Becomes this user, for good.
    pub fn take_on(&self) -> Result<(), Refusal> {
        let gid = |id: &u32| Gid::from_raw(*id);
        let groups: Vec<Gid> = self.groups.iter().map(gid).collect();
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        rustix::thread::set_thread_groups(&groups)
            .and_then(|()| rustix::thread::set_thread_res_gid(gid, gid, gid))
            .and_then(|()| rustix::thread::set_thread_res_uid(uid, uid, uid))
            .map_err(|e| Refusal::plain(format!("setreuid: {}", super::reason(&e.into()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        let users = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:100:Ann:/home/ann:/bin/sh\n";
        let groups = "root:x:0:\nusers:x:100:\nwheel:x:10:ann,bob\ndisk:x:6:bob\n";
        assert_eq!(parse("ann", users, groups), Some(Identity { uid: 1000, gid: 100, groups: vec![100, 10] }));
        assert_eq!(parse("bob", users, groups), None);
    }
}
