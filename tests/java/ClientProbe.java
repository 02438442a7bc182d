import alluxio.AlluxioURI;
import alluxio.client.file.FileSystem;
import alluxio.client.file.URIStatus;
import alluxio.exception.DirectoryNotEmptyException;
import alluxio.exception.FileAlreadyExistsException;
import alluxio.exception.FileDoesNotExistException;
import alluxio.exception.InvalidPathException;
import alluxio.exception.status.DeadlineExceededException;
import alluxio.exception.status.UnavailableException;
import alluxio.grpc.Bits;
import alluxio.grpc.CreateDirectoryPOptions;
import alluxio.grpc.CreateFilePOptions;
import alluxio.grpc.DeletePOptions;
import alluxio.grpc.GetStatusPOptions;
import alluxio.grpc.ListStatusPOptions;
import alluxio.grpc.LoadMetadataPType;
import alluxio.grpc.PMode;
import alluxio.grpc.SetAttributePOptions;
import alluxio.grpc.WritePType;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FsShell;
import org.apache.hadoop.util.ToolRunner;

/**
 * Drives a master with the unmodified Alluxio 2.9.6 Java client. The master is named by Alluxio's own properties
 * (-Dalluxio.zookeeper.address=..., -Dalluxio.master.hostname=...). See scripts/java-client.
 */
public class ClientProbe {
  private static final FileSystem FS = FileSystem.Factory.create();

  public static void main(String[] args) throws Exception {
    String mode = args.length > 0 ? args[0] : "";
    if (mode.equals("steps") && args.length == 2) {
      steps(args[1]);
    } else if (mode.equals("loop") && args.length == 3) {
      loop(args[1], Integer.parseInt(args[2]));
    } else if (mode.equals("episodes") && args.length == 1) {
      episodes();
    } else if (mode.equals("list") && args.length == 2) {
      list(args[1]);
    } else if (mode.equals("load") && args.length == 5) {
      load(args[1], args[2], Integer.parseInt(args[3]), Integer.parseInt(args[4]));
    } else if (mode.equals("write") && (args.length == 4 || args.length == 5)) {
      write(args[1], Long.parseLong(args[2]), WritePType.valueOf(args[3]), args.length == 5 ? args[4] : null);
    } else if (mode.equals("transfer") && args.length == 3) {
      transfer(args[1], Long.parseLong(args[2]));
    } else if (mode.equals("read") && (args.length == 2 || args.length == 3)) {
      read(args[1], args.length == 3 ? args[2] : null);
    } else if (mode.equals("readers") && args.length == 4) {
      readers(args[1], Integer.parseInt(args[2]), args[3]);
    } else if (mode.equals("hadoop") && args.length == 2) {
      hadoop(args[1]);
    } else if (mode.equals("free") && args.length == 2) {
      FS.free(uri(args[1]));
    } else {
      System.err.println("usage: steps ROOT | loop ROOT SECONDS | episodes | list ROOT | load OPERATION ROOT THREADS SECONDS"
          + " | write PATH BYTES WRITE_TYPE [GATE] | read PATH [GATE] | readers PATH COUNT GATE | free PATH"
          + " | hadoop FILE | transfer PATH BYTES");
      System.exit(2);
    }
    System.exit(0); // the client leaves threads behind
  }

  /** Each operation once, refusals included; one line per result, the same for every master that is right. */
  private static void steps(String root) {
    String d = root + "/d";
    say("createDirectory", () -> { FS.createDirectory(uri(root)); return "done"; });
    say("createDirectory with parents", () -> {
      FS.createDirectory(uri(d + "/e/f"), CreateDirectoryPOptions.newBuilder().setRecursive(true).build());
      return "done";
    });
    say("createDirectory again", () -> { FS.createDirectory(uri(d)); return "done"; });
    say("createDirectory again, allowed", () -> {
      FS.createDirectory(uri(d), CreateDirectoryPOptions.newBuilder().setAllowExists(true).build());
      return "done";
    });
    say("createDirectory without parent", () -> { FS.createDirectory(uri(root + "/no/x")); return "done"; });
    say("createFile and close", () -> { createFile(d + "/file"); return "done"; });
    say("createFile again", () -> { createFile(d + "/file"); return "done"; });
    say("createDirectory below a file", () -> { FS.createDirectory(uri(d + "/file/x")); return "done"; });
    say("getStatus of a directory", () -> describe(FS.getStatus(uri(d))));
    say("getStatus of a file", () -> describe(FS.getStatus(uri(d + "/file"))));
    say("getStatus of nothing", () -> describe(FS.getStatus(uri(root + "/nothing"))));
    say("exists", () -> FS.exists(uri(d)) + " " + FS.exists(uri(root + "/nothing")));
    say("listStatus", () -> names(FS.listStatus(uri(d))));
    say("listStatus of a file", () -> names(FS.listStatus(uri(d + "/file"))));
    say("listStatus of nothing", () -> names(FS.listStatus(uri(root + "/nothing"))));
    say("setAttribute mode", () -> {
      PMode mode = PMode.newBuilder().setOwnerBits(Bits.ALL).setGroupBits(Bits.READ).setOtherBits(Bits.NONE).build();
      FS.setAttribute(uri(d + "/file"), SetAttributePOptions.newBuilder().setMode(mode).build());
      return describe(FS.getStatus(uri(d + "/file")));
    });
    say("setAttribute owner, recursively", () -> {
      FS.setAttribute(uri(d + "/e"), SetAttributePOptions.newBuilder().setOwner("ann").setRecursive(true).build());
      return describe(FS.getStatus(uri(d + "/e"))) + ", " + describe(FS.getStatus(uri(d + "/e/f")));
    });
    say("setAttribute group", () -> {
      FS.setAttribute(uri(d + "/e"), SetAttributePOptions.newBuilder().setGroup("staff").build());
      return describe(FS.getStatus(uri(d + "/e"))) + ", " + describe(FS.getStatus(uri(d + "/e/f")));
    });
    say("setAttribute owner who is not in the group", () -> {
      FS.setAttribute(uri(d + "/e"), SetAttributePOptions.newBuilder().setOwner("bob").setGroup("staff").build());
      return "done";
    });
    say("setAttribute of nothing", () -> {
      FS.setAttribute(uri(root + "/nothing"), SetAttributePOptions.newBuilder().setOwner("ann").build());
      return "done";
    });
    say("rename a file", () -> { FS.rename(uri(d + "/file"), uri(d + "/file2")); return names(FS.listStatus(uri(d))); });
    say("rename a directory", () -> { FS.rename(uri(d), uri(root + "/g")); return names(FS.listStatus(uri(root))); });
    say("rename into itself", () -> { FS.rename(uri(root + "/g"), uri(root + "/g/h")); return "done"; });
    say("rename of nothing", () -> { FS.rename(uri(root + "/nothing"), uri(root + "/h")); return "done"; });
    say("rename onto a directory", () -> {
      FS.createDirectory(uri(root + "/h"));
      FS.rename(uri(root + "/g/file2"), uri(root + "/h"));
      return "done";
    });
    say("delete a full directory", () -> { FS.delete(uri(root + "/g")); return "done"; });
    say("delete a file", () -> { FS.delete(uri(root + "/g/file2")); return names(FS.listStatus(uri(root + "/g"))); });
    say("delete of nothing", () -> { FS.delete(uri(root + "/nothing")); return "done"; });
    say("delete recursively", () -> {
      FS.delete(uri(root), DeletePOptions.newBuilder().setRecursive(true).build());
      return "exists " + FS.exists(uri(root));
    });
  }

  /** mkdir ROOT/n for n = 1, 2, ... one after another; prints `ok n begin end` (ms) or `failed n begin end reason`. */
  private static void loop(String root, int seconds) throws Exception {
    FS.createDirectory(uri(root), CreateDirectoryPOptions.newBuilder().setRecursive(true).setAllowExists(true).build());
    long end = System.currentTimeMillis() + seconds * 1000L;
    for (int n = 1; System.currentTimeMillis() < end; n++) {
      long began = System.currentTimeMillis();
      try {
        FS.createDirectory(uri(root + "/" + n));
        System.out.println("ok " + n + " " + began + " " + System.currentTimeMillis());
      } catch (Exception e) {
        System.out.println("failed " + n + " " + began + " " + System.currentTimeMillis() + " " + e);
      }
      System.out.flush();
    }
  }

  private static final String[] PATHS = {"/a", "/t", "/b", "/t/a", "/u", "/a/a", "/a/b", "/b/a", "/a/a/a"};
  private static final String[] DIRECTORIES = {"/", "/t", "/a", "/b", "/a/a"};

  /**
   * Reads `go ROOT SEED THREADS`, has so many clients ask one operation after another below ROOT until it reads `end`, and
   * then prints for each call `THREAD ASKED HEARD OPERATION PATH [PATH] = ANSWER [NAME ...]` (microseconds) and `done`.
   */
  private static void episodes() throws Exception {
    BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      String[] words = line.split(" ");
      int threads = Integer.parseInt(words[3]);
      StringBuffer calls = new StringBuffer();
      AtomicBoolean stop = new AtomicBoolean();
      Thread[] all = new Thread[threads];
      for (int t = 0; t < threads; t++) {
        Random random = new Random(Long.parseLong(words[2]) * 1000 + 500 + t);
        String who = t + " ";
        all[t] = new Thread(() -> {
          while (!stop.get()) {
            calls.append(who + oneCall(words[1], random) + '\n');
            try {
              Thread.sleep(random.nextInt(60));
            } catch (InterruptedException e) {
              return;
            }
          }
        });
        all[t].start();
      }
      if (!"end".equals(commands.readLine())) {
        return;
      }
      stop.set(true);
      for (Thread thread : all) {
        thread.join();
      }
      System.out.print(calls);
      System.out.println("done");
      System.out.flush();
    }
  }

  private static String oneCall(String root, Random random) {
    String path = PATHS[random.nextInt(PATHS.length)];
    String other = PATHS[random.nextInt(PATHS.length)];
    AlluxioURI at = uri(root + path);
    int kind = random.nextInt(20);
    long asked = System.nanoTime() / 1000;
    if (kind < 6) {
      WritePType type = path.equals("/t") || path.equals("/u") ? WritePType.CACHE_THROUGH : WritePType.MUST_CACHE;
      CreateDirectoryPOptions options = CreateDirectoryPOptions.newBuilder().setWriteType(type).build();
      return told(asked, "mkdir " + path, () -> { FS.createDirectory(at, options); return "done"; });
    } else if (kind < 8) {
      CreateFilePOptions options = CreateFilePOptions.newBuilder().setWriteType(WritePType.MUST_CACHE).build();
      OutputStream[] file = new OutputStream[1];
      String said = told(asked, "create " + path, () -> { file[0] = FS.createFile(at, options); return "done"; });
      try {
        if (file[0] != null) {
          file[0].close();
        }
      } catch (Exception e) {
        // Another client has moved or deleted it meanwhile.
      }
      return said;
    } else if (kind < 11) {
      boolean all = random.nextBoolean();
      DeletePOptions options = DeletePOptions.newBuilder().setRecursive(all).build();
      return told(asked, (all ? "deleteAll " : "delete ") + path, () -> { FS.delete(at, options); return "done"; });
    } else if (kind < 14) {
      AlluxioURI to = uri(root + other);
      return told(asked, "rename " + path + " " + other, () -> { FS.rename(at, to); return "done"; });
    } else if (kind < 18) {
      GetStatusPOptions options =
          GetStatusPOptions.newBuilder().setLoadMetadataType(LoadMetadataPType.NEVER).build();
      return told(asked, "stat " + path, () -> FS.getStatus(at, options).isFolder() ? "directory" : "file");
    }
    String directory = DIRECTORIES[random.nextInt(DIRECTORIES.length)];
    ListStatusPOptions options =
        ListStatusPOptions.newBuilder().setLoadMetadataType(LoadMetadataPType.NEVER).build();
    return told(asked, "list " + directory, () -> {
      TreeSet<String> names = new TreeSet<>();
      for (URIStatus status : FS.listStatus(uri(directory.equals("/") ? root : root + directory), options)) {
        names.add(status.getPath().substring(root.length()));
      }
      return ("names " + String.join(" ", names)).trim();
    });
  }

  private static String described(Exception e) {
    return e.getClass().getSimpleName() + " " + String.valueOf(e.getMessage()).replace('\n', ' ');
  }

  private static String told(long asked, String what, Callable<String> call) {
    String answer;
    try {
      answer = call.call();
    } catch (FileAlreadyExistsException e) {
      answer = "exists";
    } catch (FileDoesNotExistException e) {
      answer = "notFound";
    } catch (InvalidPathException e) {
      answer = "invalid";
    } catch (DirectoryNotEmptyException e) {
      // What the client makes of every refusal of that kind; here the one of a UFS.
      answer = e.getMessage().contains("under file system") ? "failed" : "notEmpty";
    } catch (UnavailableException | DeadlineExceededException e) {
      answer = "unknown " + described(e);
    } catch (Exception e) {
      boolean ofUfs = String.valueOf(e.getMessage()).contains("under file system");
      answer = ofUfs ? "failed" : "unexpected " + described(e);
    }
    return asked + " " + System.nanoTime() / 1000 + " " + what + " = " + answer;
  }

  /**
   * Writes a file of so many bytes, each of which follows from its place, in blocks of 1 MB. With a gate, says so after
   * half of them, and goes on when there is a file of that name.
   */
  private static void write(String path, long bytes, WritePType type, String gate) throws Exception {
    CreateFilePOptions options =
        CreateFilePOptions.newBuilder().setWriteType(type).setBlockSizeBytes(1 << 20).setRecursive(true).build();
    try (OutputStream out = FS.createFile(uri(path), options)) {
      byte[] buffer = new byte[10007];
      for (long at = 0; at < bytes; at += buffer.length) {
        int length = (int) Math.min(buffer.length, bytes - at);
        if (gate != null && at <= bytes / 2 && bytes / 2 < at + length) {
          waitAt(gate, "wrote half of " + path);
        }
        for (int i = 0; i < length; i++) {
          buffer[i] = expected(at + i);
        }
        out.write(buffer, 0, length);
      }
    }
    System.out.println("wrote " + place(FS.getStatus(uri(path))));
  }

  /** Writes a file to a worker and reads it, twice, the first time to warm up; prints the MiB a second of the second. */
  private static void transfer(String path, long bytes) throws Exception {
    CreateFilePOptions options = CreateFilePOptions.newBuilder().setWriteType(WritePType.MUST_CACHE)
        .setBlockSizeBytes(64 << 20).setRecursive(true).build();
    byte[] buffer = new byte[128 << 10];
    for (int turn = 0; turn < 2; turn++) {
      long began = System.nanoTime();
      try (OutputStream out = FS.createFile(uri(path + turn), options)) {
        for (long at = 0; at < bytes; at += buffer.length) {
          out.write(buffer, 0, (int) Math.min(buffer.length, bytes - at));
        }
      }
      long wrote = System.nanoTime();
      long total = 0;
      try (InputStream in = FS.openFile(uri(path + turn))) {
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
          total += n;
        }
      }
      long read = System.nanoTime();
      if (total != bytes) {
        throw new IllegalStateException("read " + total + " of " + bytes + " bytes");
      }
      FS.delete(uri(path + turn));
      if (turn == 1) {
        double mib = bytes / 1048576.0;
        System.out.printf("write %.0f read %.0f%n", mib * 1e9 / (wrote - began), mib * 1e9 / (read - wrote));
      }
    }
  }

  /** Says how far it is, and waits until there is a file of that name. */
  private static void waitAt(String gate, String said) throws InterruptedException {
    System.out.println(said);
    System.out.flush();
    while (!Files.exists(Paths.get(gate))) {
      Thread.sleep(10);
    }
  }

  /** Reads a file that `write` wrote, and compares every byte. With a gate, waits there after half of them. */
  private static void read(String path, String gate) throws Exception {
    long half = gate == null ? Long.MAX_VALUE : FS.getStatus(uri(path)).getLength() / 2;
    long at = 0;
    try (InputStream in = FS.openFile(uri(path))) {
      at = compare(in, at, half);
      if (gate != null) {
        waitAt(gate, "read half of " + path);
        at = compare(in, at, Long.MAX_VALUE);
      }
    }
    System.out.println("read " + at + " bytes of " + place(FS.getStatus(uri(path))));
  }

  /**
   * Reads from byte `at` until byte `end` or somewhat further, or to the end of the file; where that is. Its buffer does
   * not end where a block does: the client fails such a read if the worker, of which it has the block's file, is dead.
   */
  private static long compare(InputStream in, long at, long end) throws Exception {
    byte[] buffer = new byte[65521];
    while (at < end) {
      int n = in.read(buffer);
      if (n < 0) {
        break;
      }
      for (int i = 0; i < n; i++, at++) {
        if (buffer[i] != expected(at)) {
          throw new IllegalStateException("another byte at " + at);
        }
      }
    }
    return at;
  }

  /** So many read a file that `write` wrote at the same time: each the first bytes, and the rest when all may go on. */
  private static void readers(String path, int count, String gate) throws Exception {
    CountDownLatch begun = new CountDownLatch(count);
    CountDownLatch goOn = new CountDownLatch(1);
    CountDownLatch over = new CountDownLatch(count);
    AtomicLong bytes = new AtomicLong();
    for (int n = 0; n < count; n++) {
      new Thread(() -> {
        try (InputStream in = FS.openFile(uri(path))) {
          long at = compare(in, 0, 1);
          begun.countDown();
          goOn.await();
          bytes.addAndGet(compare(in, at, Long.MAX_VALUE));
        } catch (Exception e) {
          e.printStackTrace();
          begun.countDown();
        }
        over.countDown();
      }).start();
    }
    begun.await();
    waitAt(gate, "all have begun");
    goOn.countDown();
    over.await();
    System.out.println(count + " have read " + bytes + " bytes");
  }

  /** `hadoop fs` with the words of each line of a file, one command after another; says how each ended. */
  private static void hadoop(String file) throws Exception {
    try (BufferedReader lines = Files.newBufferedReader(Paths.get(file))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        int code = ToolRunner.run(new Configuration(), new FsShell(), line.split(" "));
        System.out.println("exit " + code + " of " + line);
        System.out.flush();
      }
    }
  }

  private static byte expected(long at) {
    return (byte) (at * 31 + (at >> 13));
  }

  private static String place(URIStatus s) {
    return s.getPath() + " length=" + s.getLength() + " inAlluxio=" + s.getInAlluxioPercentage()
        + " inMemory=" + s.getInMemoryPercentage() + " persistence=" + s.getPersistenceState()
        + " blocks=" + s.getBlockIds().size();
  }

  /** The names in a directory, one a line. */
  private static void list(String root) throws Exception {
    for (URIStatus status : FS.listStatus(uri(root))) {
      System.out.println(status.getName());
    }
  }

  /** One operation by many threads for a while; prints operations a second. */
  private static void load(String operation, String root, int threads, int seconds) throws Exception {
    FS.createDirectory(uri(root), CreateDirectoryPOptions.newBuilder().setRecursive(true).setAllowExists(true).build());
    AtomicLong done = new AtomicLong();
    AtomicLong failed = new AtomicLong();
    CountDownLatch ready = new CountDownLatch(threads);
    CountDownLatch go = new CountDownLatch(1);
    long[] end = new long[1];
    Thread[] all = new Thread[threads];
    for (int t = 0; t < threads; t++) {
      String own = root + "/" + operation + "-" + t;
      FS.createDirectory(uri(own), CreateDirectoryPOptions.newBuilder().setAllowExists(true).build());
      createFile(own + "/present");
      all[t] = new Thread(() -> {
        ready.countDown();
        try {
          go.await();
        } catch (InterruptedException e) {
          return;
        }
        for (long n = 0; System.nanoTime() < end[0]; n++) {
          try {
            once(operation, own, n);
            done.incrementAndGet();
          } catch (Exception e) {
            if (failed.getAndIncrement() == 0) {
              System.err.println("first failure: " + e);
            }
          }
        }
      });
      all[t].start();
    }
    ready.await();
    long began = System.nanoTime();
    end[0] = began + seconds * 1_000_000_000L;
    go.countDown();
    for (Thread thread : all) {
      thread.join();
    }
    double took = (System.nanoTime() - began) / 1e9;
    System.out.printf("%s threads=%d operations=%d failed=%d per_second=%.0f%n", operation, threads, done.get(),
        failed.get(), done.get() / took);
  }

  private static void once(String operation, String own, long n) throws Exception {
    switch (operation) {
      case "mkdir":
        FS.createDirectory(uri(own + "/" + n));
        break;
      case "create":
        createFile(own + "/" + n);
        break;
      case "getStatus":
        FS.getStatus(uri(own + "/present"));
        break;
      case "listStatus":
        FS.listStatus(uri(own));
        break;
      case "rename":
        FS.rename(uri(own + (n % 2 == 0 ? "/present" : "/moved")), uri(own + (n % 2 == 0 ? "/moved" : "/present")));
        break;
      case "mkdirDelete":
        FS.createDirectory(uri(own + "/" + n));
        FS.delete(uri(own + "/" + n));
        break;
      default:
        throw new IllegalArgumentException("operation " + operation
            + ": not one of mkdir, create, getStatus, listStatus, rename, mkdirDelete");
    }
  }

  private static void say(String what, Callable<String> step) {
    try {
      System.out.println(what + ": " + step.call());
    } catch (Exception e) {
      System.out.println(what + ": " + e.getClass().getName() + ": " + e.getMessage());
    }
  }

  private static AlluxioURI uri(String path) {
    return new AlluxioURI(path);
  }

  /** Without workers only an empty file can be completed, and only one that is not to be persisted. */
  private static void createFile(String path) throws Exception {
    FS.createFile(uri(path), CreateFilePOptions.newBuilder().setWriteType(WritePType.MUST_CACHE).build()).close();
  }

  private static String names(List<URIStatus> statuses) {
    TreeSet<String> names = new TreeSet<>();
    for (URIStatus status : statuses) {
      names.add(status.getName() + (status.isFolder() ? "/" : ""));
    }
    return names.toString();
  }

  private static String describe(URIStatus s) {
    return (s.isFolder() ? "directory " : "file ") + s.getPath() + " length=" + s.getLength() + " owner=" + s.getOwner()
        + " group=" + s.getGroup() + " mode=" + Integer.toOctalString(s.getMode()) + " completed=" + s.isCompleted()
        + " persistence=" + s.getPersistenceState() + " blockSize=" + s.getBlockSizeBytes()
        + " blocks=" + s.getBlockIds().size();
  }
}
