//! `alluxio runTests` and `alluxio runTest`: files written and read back, in each way that there is.
//!
//! Lines, colours, order, paths and exit code are those of 1.2.0 TestRunner: tests/shell, 21-runTests.

use bytes::Bytes;

use super::{FAILED, Output, Session};
use crate::client::{ClientError, ReadType};
use crate::conf::{ParseValue, WriteType};
use crate::types::{AlluxioPath, ErrorKind, FsError};

/// The files of the tests.
const FOLDER: &str = "/default_tests_files";
/// How many numbers a file holds.
const NUMBERS: i32 = 20;
/// Exit code of what 1.2.0 let escape as an exception.
const THROWN: i32 = 1;

/// How numbers are laid out.
#[derive(Clone, Copy)]
enum Operation {
    /// In the order of this machine.
    Basic,
    /// Their count first, then they, the high byte first.
    BasicNonByteBuffer,
}

const OPERATIONS: [(&str, Operation); 2] =
    [("Basic", Operation::Basic), ("BasicNonByteBuffer", Operation::BasicNonByteBuffer)];
const READ_TYPES: [(&str, ReadType); 3] =
    [("CACHE_PROMOTE", ReadType::CachePromote), ("CACHE", ReadType::Cache), ("NO_CACHE", ReadType::NoCache)];
const WRITE_TYPES: [(&str, WriteType); 4] = [
    ("MUST_CACHE", WriteType::MustCache),
    ("CACHE_THROUGH", WriteType::CacheThrough),
    ("THROUGH", WriteType::Through),
    ("ASYNC_THROUGH", WriteType::AsyncThrough),
];

/// One way to write a file and to read it, with its names.
struct Case<'a> {
    operation: (&'a str, Operation),
    read: (&'a str, ReadType),
    write: (&'a str, WriteType),
}

/// Runs all tests, or the one that `words` name, and gives the exit code: how many failed.
pub(super) async fn run(words: &[&str], session: &Session, output: &mut Output<'_>) -> i32 {
    if !matches!(words.len(), 0 | 3) {
        usage(output);
        return FAILED;
    }
    if let Err(error) = remove_folder(session).await {
        output.complain(&format!("Exception in thread \"main\" {error}"));
        return THROWN;
    }
    let failed = match words {
        [operation, read, write] => match case(operation, read, write) {
            Ok(case) => i32::from(!test(&case, session, output).await),
            Err(unknown) => {
                output.complain(&format!("Exception in thread \"main\" java.lang.IllegalArgumentException: {unknown}"));
                return THROWN;
            }
        },
        _ => test_all(session, output).await,
    };
    if failed > 0 && words.is_empty() {
        output.line(&format!("Number of failed tests: {failed}"));
    }
    failed
}

async fn test_all(session: &Session, output: &mut Output<'_>) -> i32 {
    let mut failed = 0;
    for read in READ_TYPES {
        for write in WRITE_TYPES {
            for operation in OPERATIONS {
                output.line(&format!("runTest {} {} {}", operation.0, read.0, write.0));
                failed += i32::from(!test(&Case { operation, read, write }, session, output).await);
            }
        }
    }
    failed
}

/// Runs one test, tells how it went, and says whether it passed.
async fn test(case: &Case<'_>, session: &Session, output: &mut Output<'_>) -> bool {
    let path = AlluxioPath::root().join(&FOLDER[1..]);
    let path = path.join(&format!("{}_{}_{}", case.operation.0, case.read.0, case.write.0));
    let result = write_and_read(&path, case, session).await;
    match &result {
        Ok(true) => output.line("\u{1b}[32mPassed the test!\u{1b}[0m"),
        Ok(false) => output.line("\u{1b}[31mFailed the test!\u{1b}[0m"),
        Err(error) => {
            output.line("\u{1b}[31mFailed the test!\u{1b}[0m");
            output.complain(&format!("{path}: {error}"));
        }
    }
    output.flush();
    matches!(result, Ok(true))
}

/// Whether what is read is what was written.
async fn write_and_read(path: &AlluxioPath, case: &Case<'_>, session: &Session) -> Result<bool, ClientError> {
    let content = content(case.operation.1);
    let mut how = session.create.file();
    how.write_type = case.write.1;
    let mut writer = session.files.create(path, &how).await?;
    writer.write(content.clone()).await?;
    writer.complete().await?;
    let mut reader = session.files.open(path, case.read.1).await?;
    let mut found = Vec::new();
    while let Some(chunk) = reader.next().await? {
        found.extend_from_slice(&chunk);
    }
    Ok(found == content)
}

fn content(operation: Operation) -> Bytes {
    let numbers = 0..NUMBERS;
    match operation {
        Operation::Basic => numbers.flat_map(i32::to_ne_bytes).collect(),
        Operation::BasicNonByteBuffer => std::iter::once(NUMBERS).chain(numbers).flat_map(i32::to_be_bytes).collect(),
    }
}

async fn remove_folder(session: &Session) -> Result<(), ClientError> {
    let folder = AlluxioPath::root().join(&FOLDER[1..]);
    match session.files.delete(&folder, true).await {
        Err(ClientError::Refused(FsError { kind: ErrorKind::NotFound, .. })) => Ok(()),
        other => other,
    }
}

/// # Errors
/// A name is none.
fn case<'a>(operation: &'a str, read: &'a str, write: &'a str) -> Result<Case<'a>, String> {
    let unknown = |class: &str, name: &str| format!("No enum constant alluxio.{class}.{name}");
    let layout = OPERATIONS.iter().find(|(name, _)| *name == operation);
    let read_type = READ_TYPES.iter().find(|(name, _)| *name == read);
    let write_type = WriteType::parse(write).ok().filter(|_| write == write.to_uppercase());
    Ok(Case {
        operation: *layout.ok_or_else(|| unknown("cli.TestRunner.OperationType", operation))?,
        read: *read_type.ok_or_else(|| unknown("client.ReadType", read))?,
        write: (write, write_type.ok_or_else(|| unknown("client.WriteType", write))?),
    })
}

fn usage(output: &mut Output<'_>) {
    const CALL: &str =
        "java -cp target/alluxio-1.2.0-jar-with-dependencies.jar alluxio.cli.TestRunner <master address>";
    let names = |names: Vec<&str>| format!("[{}]", names.join(", "));
    output.line("Usage:");
    output.line("(1) To run a predefined set of read/write tests:");
    output.line(CALL);
    output.line("(2) To run a single test:");
    output.line(&format!("{CALL} <OperationType> <ReadType> <WriteType>"));
    output.line(&format!("\t OperationType: one of {}", names(OPERATIONS.iter().map(|(name, _)| *name).collect())));
    output.line(&format!("\t ReadType: one of {}", names(READ_TYPES.iter().map(|(name, _)| *name).collect())));
    output.line(&format!("\t WriteType: one of {}", names(WRITE_TYPES.iter().map(|(name, _)| *name).collect())));
    output.advise("alluxio runTests, or alluxio runTest <OperationType> <ReadType> <WriteType>");
}
