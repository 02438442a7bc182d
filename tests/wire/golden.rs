//! Messages that were seen between an unmodified 2.9.6 client and a 2.9.6 master (`tests/data/wire-2.9.6.txt`).

use alluxio::proto::alluxio::grpc::file::{
    CompleteFilePOptions, CompleteFilePRequest, DeletePOptions, DeletePRequest, FileSystemMasterCommonPOptions,
    FsOpPId, GetNewBlockIdForFilePOptions, GetNewBlockIdForFilePRequest, GetNewBlockIdForFilePResponse,
    GetStatusPOptions, GetStatusPRequest, ListStatusPOptions, ListStatusPRequest, LoadMetadataPType,
};
use alluxio::proto::alluxio::grpc::meta::{GetConfigurationPOptions, GetConfigurationPResponse};
use alluxio::proto::alluxio::grpc::sasl::{SaslMessage, SaslMessageType};
use alluxio::proto::alluxio::grpc::version::{GetServiceVersionPRequest, GetServiceVersionPResponse, ServiceType};
use alluxio::proto::alluxio::grpc::{Bits, TtlAction};
use prost::Message;

fn seen(name: &str) -> Vec<u8> {
    let lines = include_str!("../data/wire-2.9.6.txt").lines();
    let mut found = lines.filter_map(|line| line.split_once(' ')).filter(|(first, _)| *first == name);
    let (_, hex) = found.next().unwrap_or_else(|| panic!("{name} is in the file"));
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// The bytes mean this message, and this message becomes those bytes.
#[track_caller]
fn assert_same<M: Message + Default + PartialEq + std::fmt::Debug>(name: &str, message: M) {
    let bytes = seen(name);
    assert_eq!(M::decode(bytes.as_slice()).unwrap(), message);
    assert_eq!(message.encode_to_vec(), bytes);
}

/// What the Java client sends with every call.
fn common(operation_id: Option<(i64, i64)>) -> FileSystemMasterCommonPOptions {
    FileSystemMasterCommonPOptions {
        ttl: Some(-1),
        ttl_action: Some(TtlAction::Free.into()),
        operation_id: operation_id
            .map(|(most, least)| FsOpPId { most_significant_bits: Some(most), least_significant_bits: Some(least) }),
        ..Default::default()
    }
}

#[test]
fn the_handshake() {
    assert_same(
        "GetConfigurationPOptions-2",
        GetConfigurationPOptions {
            raw_value: Some(true),
            ignore_cluster_conf: Some(false),
            ignore_path_conf: Some(true),
        },
    );
    assert_same(
        "GetConfigurationPOptions-3",
        GetConfigurationPOptions {
            raw_value: Some(true),
            ignore_cluster_conf: Some(true),
            ignore_path_conf: Some(false),
        },
    );
    assert_same(
        "GetConfigurationPResponse-3",
        GetConfigurationPResponse {
            path_config_hash: Some("d41d8cd98f00b204e9800998ecf8427e".into()),
            ..Default::default()
        },
    );
    assert_same(
        "SaslMessage-answer",
        SaslMessage { message_type: Some(SaslMessageType::Success.into()), ..Default::default() },
    );
    assert_same(
        "GetServiceVersionPRequest",
        GetServiceVersionPRequest {
            service_type: Some(ServiceType::FileSystemMasterClientService.into()),
            allowed_on_standby_masters: Some(true),
        },
    );
    assert_same("GetServiceVersionPResponse", GetServiceVersionPResponse { version: Some(2) });
}

#[test]
fn questions() {
    assert_same(
        "GetStatusPRequest",
        GetStatusPRequest {
            path: Some("/trace".into()),
            options: Some(GetStatusPOptions {
                load_metadata_type: Some(LoadMetadataPType::Once.into()),
                common_options: Some(common(None)),
                ..Default::default()
            }),
        },
    );
    assert_same(
        "GetStatusPRequest-open",
        GetStatusPRequest {
            path: Some("/trace/f".into()),
            options: Some(GetStatusPOptions {
                load_metadata_type: Some(LoadMetadataPType::Once.into()),
                common_options: Some(common(None)),
                access_mode: Some(Bits::Read.into()),
                update_timestamps: Some(true),
                ..Default::default()
            }),
        },
    );
    assert_same(
        "ListStatusPRequest",
        ListStatusPRequest {
            path: Some("/trace".into()),
            options: Some(ListStatusPOptions {
                load_metadata_type: Some(LoadMetadataPType::Once.into()),
                common_options: Some(common(None)),
                load_metadata_only: Some(false),
                ..Default::default()
            }),
        },
    );
}

#[test]
fn changes() {
    assert_same(
        "CompleteFilePRequest",
        CompleteFilePRequest {
            path: Some("/trace/f".into()),
            options: Some(CompleteFilePOptions {
                common_options: Some(FileSystemMasterCommonPOptions {
                    operation_id: Some(FsOpPId {
                        most_significant_bits: Some(7_110_294_653_093_300_921),
                        least_significant_bits: Some(-7_314_922_370_305_677_963),
                    }),
                    ..Default::default()
                }),
                ..Default::default()
            }),
        },
    );
    assert_same(
        "DeletePRequest",
        DeletePRequest {
            path: Some("/trace/g".into()),
            options: Some(DeletePOptions {
                recursive: Some(false),
                alluxio_only: Some(false),
                unchecked: Some(false),
                common_options: Some(common(Some((6_411_757_633_024_771_383, -8_910_542_078_226_000_602)))),
                ..Default::default()
            }),
        },
    );
    assert_same(
        "GetNewBlockIdForFilePRequest",
        GetNewBlockIdForFilePRequest {
            path: Some("/trace/f".into()),
            options: Some(GetNewBlockIdForFilePOptions::default()),
        },
    );
    assert_same("GetNewBlockIdForFilePResponse", GetNewBlockIdForFilePResponse { id: Some(16_777_216) });
}
