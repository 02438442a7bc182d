//! Errors ↔ gRPC codes: the one place that knows both, and that says which errors are worth another try.

use std::error::Error;

use tonic::{Code, Status};

use crate::types::{ErrorKind, FsError};

/// Most bytes of a message once it is percent-encoded. A 2.9 client takes 8 KiB of headers and trailers together and
/// drops the whole answer beyond that, so a long message would turn into a meaningless one.
const MESSAGE_HEADER_BYTES_MAX: usize = 6 << 10;

/// What goes to the client. Long messages are cut, and say so.
pub fn to_status(error: FsError) -> Status {
    Status::new(code(error.kind), bounded(error.message))
}

/// What a server, or the transport on the way to it, answered.
pub fn from_status(status: Status) -> FsError {
    // A status that came over the wire has no source. One with a source was made here, because the connection broke
    // or could not be opened: whatever code it was given, the call may be tried again elsewhere.
    if status.source().is_some() {
        return FsError::new(ErrorKind::Unavailable, with_causes(&status));
    }
    FsError::new(kind(status.code()), status.message())
}

/// Whether a client should try again, after asking once more who is primary (the set of 2.9.6).
pub fn is_worth_retrying(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Unavailable | ErrorKind::Cancelled | ErrorKind::Unauthenticated | ErrorKind::Unimplemented
    )
}

/// The text of `error` followed by what each cause adds to it.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let part = cause.to_string();
        if !text.contains(&part) {
            text = format!("{text}: {part}");
        }
        next = cause.source();
    }
    text
}

fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::AlreadyExists => Code::AlreadyExists,
        ErrorKind::InvalidArgument => Code::InvalidArgument,
        ErrorKind::FailedPrecondition => Code::FailedPrecondition,
        ErrorKind::PermissionDenied => Code::PermissionDenied,
        ErrorKind::Unauthenticated => Code::Unauthenticated,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::ResourceExhausted => Code::ResourceExhausted,
        ErrorKind::Cancelled => Code::Cancelled,
        ErrorKind::Unimplemented => Code::Unimplemented,
        ErrorKind::Internal => Code::Internal,
        ErrorKind::Unknown => Code::Unknown,
    }
}

fn kind(code: Code) -> ErrorKind {
    match code {
        Code::NotFound => ErrorKind::NotFound,
        Code::AlreadyExists => ErrorKind::AlreadyExists,
        Code::InvalidArgument | Code::OutOfRange => ErrorKind::InvalidArgument,
        Code::FailedPrecondition => ErrorKind::FailedPrecondition,
        Code::PermissionDenied => ErrorKind::PermissionDenied,
        Code::Unauthenticated => ErrorKind::Unauthenticated,
        Code::Unavailable | Code::DeadlineExceeded => ErrorKind::Unavailable,
        Code::ResourceExhausted => ErrorKind::ResourceExhausted,
        Code::Cancelled => ErrorKind::Cancelled,
        Code::Unimplemented => ErrorKind::Unimplemented,
        Code::Internal | Code::DataLoss => ErrorKind::Internal,
        Code::Ok | Code::Unknown | Code::Aborted => ErrorKind::Unknown,
    }
}

fn bounded(message: String) -> String {
    // Three header bytes for whatever may be percent-encoded.
    let cost = |c: char| if c.is_ascii_alphanumeric() { 1 } else { 3 * c.len_utf8() };
    if message.len() * 3 <= MESSAGE_HEADER_BYTES_MAX
        || message.chars().map(cost).sum::<usize>() <= MESSAGE_HEADER_BYTES_MAX
    {
        return message;
    }
    let note = format!("... (shortened, {} bytes in all)", message.len());
    let mut room = MESSAGE_HEADER_BYTES_MAX - note.len() * 3;
    let kept = message.chars().take_while(|c| {
        let fits = cost(*c) <= room;
        room -= if fits { cost(*c) } else { 0 };
        fits
    });
    kept.chain(note.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::{MESSAGE_HEADER_BYTES_MAX, from_status, is_worth_retrying, to_status};
    use crate::types::{ErrorKind, FsError};

    const KINDS: [ErrorKind; 12] = [
        ErrorKind::NotFound,
        ErrorKind::AlreadyExists,
        ErrorKind::InvalidArgument,
        ErrorKind::FailedPrecondition,
        ErrorKind::PermissionDenied,
        ErrorKind::Unauthenticated,
        ErrorKind::Unavailable,
        ErrorKind::ResourceExhausted,
        ErrorKind::Cancelled,
        ErrorKind::Unimplemented,
        ErrorKind::Internal,
        ErrorKind::Unknown,
    ];

    #[test]
    fn an_error_arrives_as_it_left() {
        for kind in KINDS {
            let error = FsError::new(kind, "Path \"/nope\" does not exist.");
            assert_eq!(from_status(to_status(error.clone())), error);
        }
    }

    #[test]
    fn clients_retry_what_those_of_2_9_retry() {
        let retried: Vec<_> = KINDS.into_iter().filter(|kind| is_worth_retrying(*kind)).collect();
        use ErrorKind::{Cancelled, Unauthenticated, Unavailable, Unimplemented};
        assert_eq!(retried, [Unauthenticated, Unavailable, Cancelled, Unimplemented]);
    }

    #[test]
    fn a_long_message_is_cut_and_says_so() {
        for letter in ["a", " ", "é", "目"] {
            let long = letter.repeat(10_000);
            let status = to_status(FsError::new(ErrorKind::NotFound, &long));
            assert!(status.message().ends_with(&format!("... (shortened, {} bytes in all)", long.len())));
            assert!(status.message().starts_with(letter));
            let headers = status.into_http::<()>().into_parts().0.headers;
            assert!(headers["grpc-message"].len() <= MESSAGE_HEADER_BYTES_MAX);
        }
        let short = "a".repeat(MESSAGE_HEADER_BYTES_MAX);
        assert_eq!(to_status(FsError::new(ErrorKind::NotFound, &short)).message(), short);
    }

    #[test]
    fn a_broken_connection_is_worth_another_try() {
        let broken = std::io::Error::new(std::io::ErrorKind::BrokenPipe, "broken pipe");
        let error = from_status(tonic::Status::from_error(Box::new(broken)));
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert!(error.message.contains("broken pipe"), "{}", error.message);
    }
}
