//! Our message files are those of 2.9.6: same packages, names, numbers, labels, types, defaults, methods.

use std::collections::BTreeMap;
use std::path::Path;

use prost::Message;
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};

/// Of these messages we define only some fields: the journal's entry has one for each kind of entry.
const PARTIAL: &[&str] = &["alluxio.proto.journal.JournalEntry"];

/// What this server answers. Whatever they reach must be ours in full, or they would not compile.
const SERVED: &[&str] = &[
    "alluxio.grpc.file.FileSystemMasterClientService",
    "alluxio.grpc.meta.MetaMasterClientService",
    "alluxio.grpc.meta.MetaMasterConfigurationService",
    "alluxio.grpc.metric.MetricsMasterClientService",
    "alluxio.grpc.sasl.SaslAuthenticationService",
    "alluxio.grpc.version.ServiceVersionClientService",
];

/// Everything with a full name, each part of it as a line of text.
type Definitions = BTreeMap<String, Vec<String>>;

fn ours() -> FileDescriptorSet {
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
    let mut files = Vec::new();
    // Folders of our own messages are left out.
    for folder in ["grpc", "proto/dataserver", "proto/journal", "proto/shared"] {
        for file in std::fs::read_dir(include.join(folder)).unwrap() {
            let path = file.unwrap().path();
            files.push(path.strip_prefix(&include).unwrap().to_owned());
        }
    }
    files.sort();
    assert!(files.len() >= 12, "all message files are found: {files:?}");
    // protox has a prost of its own version; bytes are the same in all.
    let set = protox::compile(files, [include]).unwrap();
    FileDescriptorSet::decode(set.encode_to_vec().as_slice()).unwrap()
}

fn theirs() -> FileDescriptorSet {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/alluxio-2.9.6.binpb");
    FileDescriptorSet::decode(std::fs::read(path).unwrap().as_slice()).unwrap()
}

fn definitions(set: &FileDescriptorSet) -> Definitions {
    let mut all = Definitions::new();
    for file in &set.file {
        let package = file.package();
        for message in &file.message_type {
            define_message(&mut all, package, message);
        }
        for one in &file.enum_type {
            define_enum(&mut all, package, one);
        }
        for service in &file.service {
            let methods = service.method.iter().map(|method| {
                let stream = |is: bool| if is { "stream " } else { "" };
                let (input, output) = (method.input_type(), method.output_type());
                let (many_in, many_out) = (stream(method.client_streaming()), stream(method.server_streaming()));
                format!("rpc {}({many_in}{input}) returns ({many_out}{output})", method.name())
            });
            all.insert(format!("{package}.{}", service.name()), sorted(methods));
        }
    }
    all
}

fn define_message(all: &mut Definitions, scope: &str, message: &DescriptorProto) {
    let name = format!("{scope}.{}", message.name());
    let is_map_entry = message.options.as_ref().is_some_and(|options| options.map_entry());
    let mut parts = sorted(message.field.iter().map(|field| describe_field(message, field)));
    if is_map_entry {
        parts.push("map entry".into());
    }
    for nested in &message.nested_type {
        define_message(all, &name, nested);
    }
    for one in &message.enum_type {
        define_enum(all, &name, one);
    }
    all.insert(name, parts);
}

fn describe_field(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let oneof = field.oneof_index.map(|index| message.oneof_decl[index as usize].name());
    let packed = field.options.as_ref().and_then(|options| options.packed);
    format!(
        "{} = {}: {:?} {:?} {} default {:?} oneof {oneof:?} packed {packed:?}",
        field.name(),
        field.number(),
        field.label(),
        field.r#type(),
        field.type_name(),
        field.default_value,
    )
}

fn define_enum(all: &mut Definitions, scope: &str, one: &EnumDescriptorProto) {
    let values = one.value.iter().map(|value| format!("{} = {}", value.name(), value.number()));
    all.insert(format!("{scope}.{}", one.name()), sorted(values));
}

fn sorted(parts: impl Iterator<Item = String>) -> Vec<String> {
    let mut parts: Vec<_> = parts.collect();
    parts.sort();
    parts
}

/// Where `ours` is not a true part of `theirs`.
fn differences(ours: &Definitions, theirs: &Definitions) -> Vec<String> {
    let mut found = Vec::new();
    for (name, parts) in ours {
        let Some(original) = theirs.get(name) else {
            found.push(format!("{name} does not exist in 2.9.6"));
            continue;
        };
        let added = parts.iter().filter(|part| !original.contains(part));
        found.extend(added.map(|part| format!("{name}: 2.9.6 has no \"{part}\"")));
        if !PARTIAL.contains(&name.as_str()) {
            let missing = original.iter().filter(|part| !parts.contains(part));
            found.extend(missing.map(|part| format!("{name}: \"{part}\" of 2.9.6 is missing")));
        }
    }
    found
}

#[test]
fn our_messages_are_those_of_2_9_6() {
    let (ours, theirs) = (definitions(&ours()), definitions(&theirs()));
    let found = differences(&ours, &theirs);
    assert!(found.is_empty(), "{}", found.join("\n"));
    for service in SERVED {
        assert!(ours.contains_key(*service), "{service} is defined");
    }
    for partial in PARTIAL {
        assert!(ours[*partial].len() < theirs[*partial].len(), "{partial} is still partial");
    }
}

#[test]
fn every_kind_of_change_is_noticed() {
    let theirs = definitions(&theirs());
    let changed = |change: fn(&mut FileDescriptorSet)| {
        let mut set = ours();
        change(&mut set);
        differences(&definitions(&set), &theirs)
    };
    fn field<'a>(set: &'a mut FileDescriptorSet, message: &str, field: &str) -> &'a mut FieldDescriptorProto {
        let mut messages = set.file.iter_mut().flat_map(|file| &mut file.message_type);
        let message = messages.find(|one| one.name() == message).unwrap();
        message.field.iter_mut().find(|one| one.name() == field).unwrap()
    }
    let number = changed(|set| field(set, "FileInfo", "ttl").number = Some(99));
    assert_eq!(number.len(), 2, "{number:?}");
    assert!(number[0].starts_with("alluxio.grpc.file.FileInfo: 2.9.6 has no \"ttl = 99"), "{number:?}");
    assert!(!changed(|set| field(set, "FileInfo", "ttl").name = Some("timeToLive".into())).is_empty());
    assert!(
        !changed(|set| field(set, "FileInfo", "ttl").set_label(prost_types::field_descriptor_proto::Label::Required))
            .is_empty()
    );
    assert!(
        !changed(|set| field(set, "FileInfo", "ttl").set_type(prost_types::field_descriptor_proto::Type::Sint64))
            .is_empty()
    );
    assert!(!changed(|set| field(set, "GetStatusPOptions", "updateTimestamps").default_value = None).is_empty());
    assert!(!changed(|set| set.file.iter_mut().for_each(|file| file.package = Some("alluxio".into()))).is_empty());
    assert!(
        !changed(|set| set
            .file
            .iter_mut()
            .flat_map(|file| &mut file.enum_type)
            .for_each(|one| one.value[0].number = Some(77)))
        .is_empty()
    );
    assert!(
        !changed(|set| set
            .file
            .iter_mut()
            .flat_map(|file| &mut file.service)
            .for_each(|one| one.method[0].name = Some("Other".into())))
        .is_empty()
    );
}
