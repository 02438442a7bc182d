use super::*;

fn looks(effects: &[Effect<&'static str>]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Latch(LatchCall::Observe)))
}

fn gives_way(effects: &[Effect<&'static str>]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Exit(Exit::Fenced(_))))
}

impl Bench {
    /// A master whose first segment cannot be created, or whose journal cannot be read after its claim; what it did
    /// last, and how many epochs it claimed.
    fn stuck(answer: impl Fn(&Effect<&'static str>) -> Option<Event<&'static str>>) -> (Bench, usize) {
        let driver = Driver::new(settings(FencingMode::Lease), Arc::default(), Position::START, None);
        let mut bench = Bench { driver, core: Core::default(), ms: 1_000_000, version: 1 };
        let mut effects = bench.step(Event::Tick);
        let mut claims = 0;
        while bench.ms < 1_030_000 && !gives_way(&effects) {
            let mut replies = Vec::new();
            for effect in &effects {
                let claim = matches!(effect, Effect::Latch(LatchCall::Claim { .. }));
                claims += usize::from(claim);
                let is_open = claims == 0 || claim;
                replies.extend(if is_open {
                    bench.reply(effect)
                } else {
                    answer(effect).or_else(|| bench.crowd(effect))
                });
            }
            bench.ms += 50;
            effects = bench.step(Event::Tick);
            replies.into_iter().for_each(|reply| effects.extend(bench.step(reply)));
        }
        (bench, claims)
    }

    /// Another one waits.
    fn crowd(&self, effect: &Effect<&'static str>) -> Option<Event<&'static str>> {
        match self.reply(effect) {
            Some(Event::Latch(LatchReply::Observed(Ok(seen)))) => {
                let participants = ["b", "c"].map(|node| Participant { node: node.into(), address: "a:1".into() });
                let seen = Observation { participants: participants.to_vec(), ..seen };
                Some(Event::Latch(LatchReply::Observed(Ok(seen))))
            }
            Some(Event::Latch(_)) | None => None,
            reply => reply,
        }
    }

    fn seen_by_leader(&mut self, nodes: &[&str]) -> Vec<Effect<&'static str>> {
        let participants = nodes.iter().map(|node| Participant { node: (*node).into(), address: "a:1".into() });
        let seen = Observation { epoch: None, participants: participants.collect(), interrupted: false };
        self.step(Event::Latch(LatchReply::Observed(Ok(seen))))
    }
}

#[test]
fn a_leader_that_cannot_begin_four_epochs_gives_way() {
    let refuse = |effect: &Effect<&'static str>| match effect {
        Effect::Write(WriterEffect::Create(segment)) => Some(Event::Created(*segment, Err("no space".into()))),
        Effect::Latch(LatchCall::Claim { version, .. }) => Some(Event::Latch(LatchReply::Claimed(Ok(version + 1)))),
        _ => None,
    };
    let (bench, claims) = Bench::stuck(refuse);
    assert!(matches!(bench.driver.phase, Phase::Over), "{:?}", bench.driver.phase);
    assert_eq!(claims, 4);
}

#[test]
fn a_leader_that_cannot_read_gives_way_to_others_after_a_minute() {
    let nothing = |effect: &Effect<&'static str>| match effect {
        Effect::Tail(ask) => Some(Event::Tail(*ask, Told::Failed("away".into()))),
        _ => None,
    };
    let (mut bench, claims) = Bench::stuck(nothing);
    assert!(claims == 1 && matches!(bench.driver.phase, Phase::Reading { .. }), "{:?}", bench.driver.phase);
    assert!(!looks(&bench.step(Event::Tick)));
    bench.ms += 60_000;
    assert!(looks(&bench.step(Event::Tick)));
    assert!(!gives_way(&bench.seen_by_leader(&["b"])), "nobody else is there");
    bench.ms += 1_000;
    assert!(looks(&bench.step(Event::Tick)));
    assert!(gives_way(&bench.seen_by_leader(&["b", "c"])));
}

#[test]
fn a_leader_that_gets_on_with_reading_is_not_stuck() {
    let at = |s| Boot::from_start(Duration::from_secs(s));
    let (some, more) = (Position::START, Position::START.after(b"entry"));
    let mut stuck = Stuck::default();
    let mut is_long = |patience, read, s| stuck.is_longer_than(patience, read, at(s));
    let patience = Some(Duration::from_secs(60));
    assert!(!is_long(patience, some, 0) && !is_long(patience, some, 59) && is_long(patience, some, 60));
    assert!(!is_long(patience, more, 61) && !is_long(patience, more, 120) && is_long(patience, more, 121));
    assert!(!is_long(None, more, 122) && !is_long(patience, more, 123));
}

#[test]
fn a_primary_that_cannot_write_gives_way_to_others_after_five_minutes() {
    let mut bench = Bench::serving(FencingMode::Lease);
    bench.mkdir("one");
    bench.step(Event::Appended(FIRST, Err("the pipeline broke".into())));
    bench.step(Event::Created(SECOND, Err("no DataNode".into())));
    bench.ms += 299_999;
    assert!(!looks(&bench.step(Event::Tick)));
    bench.ms += 1;
    assert!(looks(&bench.step(Event::Tick)));
    assert!(gives_way(&bench.seen_by_leader(&["b", "c"])));

    let mut bench = Bench::serving(FencingMode::Lease);
    bench.mkdir("one");
    bench.step(Event::Appended(FIRST, Err("the pipeline broke".into())));
    bench.ms += 200_000;
    bench.step(Event::Created(SECOND, Ok(ROOM)));
    bench.flushed(SECOND);
    bench.ms += 200_000;
    bench.mkdir("two");
    bench.step(Event::Appended(SECOND, Err("the pipeline broke".into())));
    bench.ms += 200_000;
    assert!(!looks(&bench.step(Event::Tick)), "in between it could");
}
