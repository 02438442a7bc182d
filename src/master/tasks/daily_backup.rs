//! A backup each day, of which the newest are kept.
// Compatible: 2.9 DailyMetadataBackup.

use crate::master::masters::Masters;
use crate::master::server::Namespace;
use crate::master::ufs::{
    BACKUP_PREFIX, BACKUP_SUFFIX, BackupPlace, BackupRequest, BackupWait, UNFINISHED, folder_uri,
};
use crate::types::FsError;
use crate::types::time::wall_now;
use crate::ufs::{UfsClients, UfsError};
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use log::{info, warn};
use std::sync::Arc;
use std::time::Duration;

/// When, where to, and how many.
#[derive(Debug, Clone)]
pub struct DailyBackup {
    /// Time of the day in UTC.
    pub at: NaiveTime,
    /// A path in the UFS of the root, or a URI.
    pub directory: String,
    /// The UFS of the root.
    pub root_ufs: String,
    /// So many backups are kept in that directory.
    pub retained: usize,
    /// One of which makes it.
    pub masters: Masters,
}

/// Goes on for ever.
pub(super) async fn run<N: Namespace>(namespace: Arc<N>, ufs: Arc<UfsClients>, daily: DailyBackup) {
    loop {
        tokio::time::sleep(until_next(DateTime::from_timestamp_millis(wall_now().0).unwrap_or_default(), daily.at))
            .await;
        if namespace.is_primary()
            && let Err(error) = back_up(namespace.as_ref(), &ufs, &daily).await
        {
            warn!("the daily backup failed directory={} reason={error}", daily.directory);
        }
    }
}

/// How long it is until that time of the day comes next.
fn until_next(now: DateTime<Utc>, at: NaiveTime) -> Duration {
    let today = now.date_naive().and_time(at).and_utc();
    let next = if today > now { today } else { today + TimeDelta::days(1) };
    (next - now).to_std().unwrap_or_default()
}

async fn back_up<N: Namespace>(namespace: &N, ufs: &UfsClients, daily: &DailyBackup) -> Result<(), FsError> {
    let place = BackupPlace::RootUfs;
    let by = daily.masters.standbys().await;
    let request = BackupRequest { directory: daily.directory.clone(), place, wait: BackupWait::Ended, by };
    namespace.backup(request).await?;
    let folder = folder_uri(&daily.root_ufs, &daily.directory, place)?;
    for name in superfluous(names(ufs, &folder).await.map_err(|error| failed(&folder, &error))?, daily.retained) {
        let uri = format!("{folder}/{name}");
        namespace.delete_leftover(&uri).await?;
        info!("deleted an old backup uri={uri}");
    }
    Ok(())
}

fn failed(folder: &str, error: &UfsError) -> FsError {
    FsError::new(crate::types::ErrorKind::Internal, format!("cannot look for old backups in {folder}: {error}"))
}

async fn names(ufs: &UfsClients, folder: &str) -> Result<Vec<String>, UfsError> {
    let listed = ufs.of(folder)?.list(folder).await?;
    Ok(listed.into_iter().filter(|status| !status.directory).map(|status| status.name).collect())
}

/// The backups that are older than the newest ones, by the time in their names, and what masters that died have left of
/// others before the newest.
fn superfluous(names: Vec<String>, retained: usize) -> Vec<String> {
    let (mut backups, mut unfinished) = (Vec::new(), Vec::new());
    for name in names {
        match name.strip_suffix(UNFINISHED) {
            Some(of) => unfinished.extend(time_of(of).map(|time| (time, name.clone()))),
            None => backups.extend(time_of(&name).map(|time| (time, name))),
        }
    }
    backups.sort_unstable();
    let newest = backups.last().map_or(i64::MIN, |(time, _)| *time);
    backups.truncate(backups.len().saturating_sub(retained));
    unfinished.retain(|(time, _)| *time < newest);
    backups.extend(unfinished);
    backups.into_iter().map(|(_, name)| name).collect()
}

/// The time in the name of a backup; none for a foreign name.
fn time_of(name: &str) -> Option<i64> {
    let (date, time) = name.strip_prefix(BACKUP_PREFIX)?.strip_suffix(BACKUP_SUFFIX)?.rsplit_once('-')?;
    chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
    time.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_time_is_today_or_tomorrow() {
        let now: DateTime<Utc> = "2026-11-30T04:59:30Z".parse().unwrap();
        let at = |text| NaiveTime::parse_from_str(text, "%H:%M").unwrap();
        assert_eq!(until_next(now, at("05:00")), Duration::from_secs(30));
        assert_eq!(until_next(now, at("04:59")), Duration::from_secs(24 * 3600 - 30));
        let then: DateTime<Utc> = "2026-11-30T05:00:00Z".parse().unwrap();
        assert_eq!(until_next(then, at("05:00")), Duration::from_secs(24 * 3600), "not twice");
    }

    #[test]
    fn the_newest_are_kept_and_foreign_files_are_left_alone() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let all = names(&[
            "alluxio-backup-2026-11-30-1796000000003.gz",
            "alluxio-backup-2026-11-28-1796000000001.gz",
            "notes.txt",
            "alluxio-backup-mine-1.gz",
            "alluxio-backup-2026-11-29-1796000000002.gz",
        ]);
        assert_eq!(superfluous(all.clone(), 2), names(&["alluxio-backup-2026-11-28-1796000000001.gz"]));
        assert_eq!(superfluous(all, 3), names(&[]));
    }

    /// One that is not finished is none, and goes once there is a newer one.
    #[test]
    fn what_a_dead_master_left_of_a_backup_goes() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let left = "alluxio-backup-2026-11-29-1796000000002.gz.unfinished";
        let being_written = "alluxio-backup-2026-11-30-1796000000004.gz.unfinished";
        let all = [
            being_written,
            left,
            "alluxio-backup-2026-11-30-1796000000003.gz",
            "alluxio-backup-2026-11-28-1796000000001.gz",
        ];
        assert_eq!(superfluous(names(&all), 2), names(&[left]));
        assert_eq!(superfluous(names(&all[..2]), 2), names(&[]));
    }
}
