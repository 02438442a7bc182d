//! Who is let in, with which words, and for how long.

use std::collections::BTreeMap;
use std::time::Duration;

use alluxio::master::ops::Answer;
use alluxio::proto::alluxio::grpc::file::ExistsPRequest;
use alluxio::proto::alluxio::grpc::file::file_system_master_client_service_client::FileSystemMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::sasl::sasl_authentication_service_client::SaslAuthenticationServiceClient;
use alluxio::proto::alluxio::grpc::sasl::{ChannelAuthenticationScheme, SaslMessage, SaslMessageType};
use alluxio::proto::alluxio::grpc::version::ServiceType;
use alluxio::rpc::channel::{ConnectError, Identity, connect, open_unauthenticated};
use alluxio::rpc::handshake::{AuthenticationType, Impersonation};
use alluxio::types::{Caller, ErrorKind};
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};
use uuid::Uuid;

use crate::harness::{Running, Seen, eventually, identity, settings, start, start_simple};

const EXISTS: &str = "alluxio.grpc.file.FileSystemMasterClientService/Exists";

fn hello(payload: &str, id: &str) -> SaslMessage {
    SaslMessage {
        message_type: Some(SaslMessageType::Challenge.into()),
        message: Some(payload.as_bytes().to_vec()),
        client_id: Some(id.into()),
        authentication_scheme: Some(ChannelAuthenticationScheme::Simple.into()),
        channel_ref: Some("test".into()),
    }
}

/// Opens the stream with this message.
async fn authenticate(
    running: &Running,
    first: SaslMessage,
) -> Result<(mpsc::Sender<SaslMessage>, Streaming<SaslMessage>), Status> {
    let connection = open_unauthenticated(&running.address, &identity("x")).await.unwrap();
    let (requests, outgoing) = mpsc::channel(1);
    requests.send(first).await.unwrap();
    let answer = SaslAuthenticationServiceClient::new(connection).authenticate(ReceiverStream::new(outgoing)).await;
    answer.map(|answers| (requests, answers.into_inner()))
}

/// Asks on another connection, with this channel id.
async fn exists(running: &Running, channel_id: Option<&str>) -> Result<bool, Status> {
    let connection = open_unauthenticated(&running.address, &identity("x")).await.unwrap();
    let mut request = tonic::Request::new(ExistsPRequest { path: Some("/".into()), options: None });
    if let Some(id) = channel_id {
        request.metadata_mut().insert("channel-id", id.parse().unwrap());
    }
    let answer = FileSystemMasterClientServiceClient::new(connection).exists(request).await;
    answer.map(|answer| answer.into_inner().exists())
}

fn told(status: &Status) -> (Code, &str) {
    (status.code(), status.message())
}

#[tokio::test]
async fn success_is_two_bytes_and_the_stream_stays_open() {
    let running = start_simple().await;
    running.will_answer(Ok(Answer::Exists(true)));
    let id = Uuid::new_v4().to_string();
    let (requests, mut answers) = authenticate(&running, hello("\0root\0noPassword", &id)).await.unwrap();
    let success = answers.message().await.unwrap().unwrap();
    assert_eq!(success.encode_to_vec(), [8, 1]);
    assert!(exists(&running, Some(&id)).await.unwrap());
    let Seen::Query(caller, _) = running.last_seen() else { panic!("a query") };
    assert_eq!((caller.user.as_str(), caller.groups.first().map(String::as_str)), ("root", Some("root")));

    // The client half-closes: the server completes with OK, and the channel is unknown from then on.
    drop(requests);
    assert_eq!(answers.message().await.unwrap(), None);
    let refused = exists(&running, Some(&id)).await.unwrap_err();
    let text = format!("Channel: {id} is not authenticated for call: {EXISTS}");
    assert_eq!(told(&refused), (Code::Unauthenticated, text.as_str()));
}

#[tokio::test]
async fn a_call_without_channel_id_is_refused() {
    let running = start_simple().await;
    let refused = exists(&running, None).await.unwrap_err();
    let text = format!("Channel Id is missing for call: {EXISTS}.");
    assert_eq!(told(&refused), (Code::Unauthenticated, text.as_str()));
}

#[tokio::test]
async fn a_broken_connection_ends_the_authentication() {
    let running = start_simple().await;
    running.will_answer(Ok(Answer::Exists(true)));
    let id = Uuid::new_v4().to_string();
    let open = authenticate(&running, hello("\0root\0noPassword", &id)).await.unwrap();
    assert!(exists(&running, Some(&id)).await.unwrap());
    drop(open);
    eventually("the channel is forgotten", || async { exists(&running, Some(&id)).await.is_err() }).await;
}

#[tokio::test]
async fn malformed_first_messages_are_refused_with_the_original_texts() {
    let running = start_simple().await;
    let id = "330d10b0-2f2e-41e8-ab26-20988fb6b254";
    let scheme = |number| SaslMessage { authentication_scheme: Some(number), ..hello("\0root\0x", id) };
    let cases = [
        (hello("root", id), "Plain authentication failed: Invalid message format, parts must contain 3 items"),
        (hello("root\0\0x", id), "Plain authentication failed: No authentication identity provided"),
        (hello("\0root\0", id), "Plain authentication failed: No password provided"),
        (hello("\0root\0x", "7"), "Plain authentication failed: \"7\" is no channel id (a UUID)"),
        (scheme(0), "Authentication scheme:NOSASL is not supported"),
        (scheme(2), "Authentication scheme:CUSTOM is not supported"),
        (scheme(9), "Authentication scheme:9 is not supported"),
    ];
    for (first, text) in cases {
        let refused = authenticate(&running, first).await.map(|_| ()).unwrap_err();
        assert_eq!(told(&refused), (Code::Unauthenticated, text));
    }
}

#[tokio::test]
async fn a_channel_id_cannot_be_taken_twice() {
    let running = start_simple().await;
    let id = Uuid::new_v4().to_string();
    let (_requests, mut answers) = authenticate(&running, hello("\0root\0x", &id)).await.unwrap();
    answers.message().await.unwrap().unwrap();
    let refused = authenticate(&running, hello("\0eve\0x", &id)).await.map(|_| ()).unwrap_err();
    let text = format!("Channel: {id} already exists in authentication registry.");
    assert_eq!(told(&refused), (Code::Unauthenticated, text.as_str()));
    assert_eq!(answers.message().await.unwrap(), None);
}

#[tokio::test]
async fn standing_for_another_user_must_be_allowed() {
    let list = |user: &str, names: &[&str]| {
        BTreeMap::from([(user.to_owned(), names.iter().map(|name| (*name).to_owned()).collect())])
    };
    let mut settings = settings(AuthenticationType::Simple);
    settings.impersonation = Impersonation { users: list("bob", &["ada"]), groups: list("gus", &["root"]) };
    let running = start(settings).await;
    running.will_answer(Ok(Answer::Exists(true)));
    let attempt = async |user: &str, target: &str| {
        let id = Uuid::new_v4().to_string();
        let _open = authenticate(&running, hello(&format!("{target}\0{user}\0noPassword"), &id)).await?;
        exists(&running, Some(&id)).await?;
        let Seen::Query(Caller { user, .. }, _) = running.last_seen() else { panic!("a query") };
        Ok::<_, Status>(user)
    };
    assert_eq!(attempt("bob", "ada").await.unwrap(), "ada");
    assert_eq!(attempt("gus", "root").await.unwrap(), "root");
    assert_eq!(attempt("eve", "eve").await.unwrap(), "eve");
    let guide = "Please read the guide to configure impersonation at \
                 https://docs.alluxio.io/os/user/2.9/en/operation/Security.html";
    let not_any = format!(
        "Plain authentication failed: Failed to authenticate client user=\"eve\" connecting to Alluxio server and \
         impersonating as impersonationUser=\"ada\" to access Alluxio file system. User \"eve\" is not configured to \
         allow any impersonation. {guide}"
    );
    assert_eq!(told(&attempt("eve", "ada").await.unwrap_err()), (Code::Unauthenticated, not_any.as_str()));
    for (user, target) in [("bob", "root"), ("gus", "nobody-of-that-name")] {
        let not_this = format!(
            "Plain authentication failed: Failed to authenticate client user=\"{user}\" connecting to Alluxio master \
             and impersonating as impersonationUser=\"{target}\" to access Alluxio file system. user=\"{user}\" is \
             not configured to impersonate as impersonationUser=\"{target}\".{guide}"
        );
        assert_eq!(told(&attempt(user, target).await.unwrap_err()), (Code::Unauthenticated, not_this.as_str()));
    }
}

#[tokio::test]
async fn without_authentication_nobody_is_asked() {
    let running = start(settings(AuthenticationType::NoSasl)).await;
    running.will_answer(Ok(Answer::Exists(true)));
    assert!(exists(&running, None).await.unwrap());
    let Seen::Query(caller, _) = running.last_seen() else { panic!("a query") };
    assert_eq!(caller, Caller::default());
    let refused = authenticate(&running, hello("\0root\0x", "x")).await.map(|_| ()).unwrap_err();
    let text = "Method not found: alluxio.grpc.sasl.SaslAuthenticationService/authenticate";
    assert_eq!(told(&refused), (Code::Unimplemented, text));
}

#[tokio::test]
async fn a_channel_that_nobody_uses_must_authenticate_again() {
    let mut settings = settings(AuthenticationType::Simple);
    settings.channel_purge_interval = Duration::from_millis(10);
    let running = start(settings).await;
    let id = Uuid::new_v4().to_string();
    let (_requests, mut answers) = authenticate(&running, hello("\0root\0x", &id)).await.unwrap();
    answers.message().await.unwrap().unwrap();
    assert_eq!(answers.message().await.unwrap(), None);
    assert_eq!(exists(&running, Some(&id)).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn our_client_is_let_in_and_tells_why_if_not() {
    let running = start_simple().await;
    let service = ServiceType::FileSystemMasterClientService;
    connect(&running.address, service, &identity("root")).await.unwrap();
    let missing = connect(&running.address, ServiceType::JobMasterClientService, &identity("root")).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let ConnectError::Refused { source, .. } = missing else { panic!("{missing}") };
    assert_eq!(source.message, "Service JOB_MASTER_CLIENT_SERVICE is not found.");

    let mut other = identity("bob");
    other.identity = Some(Identity { user: "bob".into(), on_behalf_of: Some("ada".into()) });
    let refused = connect(&running.address, service, &other).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unauthenticated);

    let text = connect("localhost", service, &identity("x")).await.unwrap_err().to_string();
    assert_eq!(text, "\"localhost\" is not an address of the form host:port");
    let nobody = connect("127.0.0.1:1", service, &identity("x")).await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::Unavailable);
    assert_eq!(nobody.to_string(), "cannot connect to 127.0.0.1:1");
}
