import alluxio.AlluxioURI;
import alluxio.client.file.FileSystem;
import alluxio.client.file.URIStatus;
import alluxio.grpc.CreateDirectoryPOptions;
import alluxio.grpc.CreateFilePOptions;
import alluxio.grpc.DeletePOptions;
import alluxio.grpc.FileSystemMasterCommonPOptions;
import alluxio.grpc.ListStatusPOptions;
import alluxio.grpc.LoadMetadataPType;
import alluxio.grpc.MountPOptions;
import alluxio.grpc.PMode;
import alluxio.grpc.Bits;
import alluxio.grpc.SetAttributePOptions;
import alluxio.grpc.SetAclAction;
import alluxio.grpc.TtlAction;
import alluxio.grpc.WritePType;
import alluxio.security.authorization.AclEntry;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Makes a namespace of many kinds with the unmodified 2.9.6 client, and prints all that a master answers about one, a
 * line for each path. See scripts/java-client.
 */
public class TreeProbe {
  private static final FileSystem FS = FileSystem.Factory.create();
  private static final List<String> ODD = Arrays.asList("with space", "后中文", "a%20b", ".hidden", "-dash", "it's \"q\"",
      "semi;colon", "\uD83D\uDE00", "a\\b", "x-0x7fffffffffffffff", "tab\there", "plus+and&and=");

  public static void main(String[] args) throws Exception {
    if (args[0].equals("make")) {
      make(args[1]);
    } else {
      tree("/");
      mounts();
    }
    System.exit(0); // the client leaves threads behind
  }

  /** What lies in the UFS of the root is loaded; {@code other} is mounted. */
  private static void make(String other) throws Exception {
    for (String name : ODD) {
      directory("/odd/" + name, WritePType.MUST_CACHE);
      file("/odd/" + name + "/" + name, WritePType.MUST_CACHE);
    }
    load("/");
    directory("/through/a/b", WritePType.CACHE_THROUGH);
    file("/late", WritePType.ASYNC_THROUGH);
    FS.createFile(uri("/incomplete"), CreateFilePOptions.newBuilder().setWriteType(WritePType.MUST_CACHE).build());
    FS.createFile(uri("/later"), CreateFilePOptions.newBuilder().setWriteType(WritePType.ASYNC_THROUGH)
        .setPersistenceWaitTime(86_400_000).build()).close();

    for (int i = 0; i < 20; i++) {
      file("/many/f" + i, WritePType.MUST_CACHE);
    }
    FS.rename(uri("/many/f0"), uri("/many/renamed"));
    FS.rename(uri("/many/f1"), uri("/odd/moved"));
    directory("/from/deep/er", WritePType.MUST_CACHE);
    file("/from/deep/er/f", WritePType.MUST_CACHE);
    FS.rename(uri("/from/deep"), uri("/many/deep"));
    FS.delete(uri("/many/f2"));
    FS.delete(uri("/from"), DeletePOptions.newBuilder().setRecursive(true).build());
    directory("/gone/x", WritePType.MUST_CACHE);
    file("/gone/x/y", WritePType.MUST_CACHE);
    FS.delete(uri("/gone"), DeletePOptions.newBuilder().setRecursive(true).build());

    set("/many/f3", SetAttributePOptions.newBuilder().setPinned(true));
    set("/many/deep", SetAttributePOptions.newBuilder().setPinned(true));
    file("/many/deep/pinned-too", WritePType.MUST_CACHE);
    set("/many/f4", SetAttributePOptions.newBuilder().setReplicationMin(2).setReplicationMax(4));
    set("/many/f5", ttl(86_400_000_000L, TtlAction.DELETE));
    set("/many/deep/er", ttl(90_000_000_000L, TtlAction.FREE));
    set("/many/f6", SetAttributePOptions.newBuilder().setOwner("nobody"));
    set("/many/renamed", SetAttributePOptions.newBuilder().setGroup("daemon"));
    set("/many/f7", SetAttributePOptions.newBuilder().setMode(PMode.newBuilder().setOwnerBits(Bits.ALL)
        .setGroupBits(Bits.NONE).setOtherBits(Bits.READ)));
    set("/odd", SetAttributePOptions.newBuilder().setRecursive(true).setOwner("odd-one"));
    FS.setAcl(uri("/many/f8"), SetAclAction.MODIFY, Collections.singletonList(AclEntry.fromCliString("user:u1:rwx")));
    FS.setAcl(uri("/many/f9"), SetAclAction.MODIFY, Collections.singletonList(AclEntry.fromCliString("other::--x")));
    FS.setAcl(uri("/many/deep"), SetAclAction.MODIFY,
        Collections.singletonList(AclEntry.fromCliString("default:user:u2:r-x")));

    FS.mount(uri("/mnt"), uri(other + "/main"), MountPOptions.newBuilder().setShared(true).putProperties("a.b", "c d").build());
    load("/mnt");
    FS.mount(uri("/read-only"), uri(other + "/sub"), MountPOptions.newBuilder().setReadOnly(true).build());
    load("/read-only");
    FS.mount(uri("/unmounted"), uri(other + "/other-sub"));
    load("/unmounted");
    FS.unmount(uri("/unmounted"));
  }

  private static void mounts() throws Exception {
    Map<String, ?> mounts = new TreeMap<>(FS.getMountTable());
    for (Map.Entry<String, ?> mount : mounts.entrySet()) {
      alluxio.wire.MountPointInfo info = (alluxio.wire.MountPointInfo) mount.getValue();
      System.out.println("mount " + mount.getKey() + " " + info.getUfsUri() + " id=" + info.getMountId() + " ro="
          + info.getReadOnly() + " shared=" + info.getShared() + " " + new TreeMap<>(info.getProperties()));
    }
  }

  private static void tree(String path) throws Exception {
    FileSystemMasterCommonPOptions common = FileSystemMasterCommonPOptions.newBuilder().setSyncIntervalMs(-1).build();
    List<URIStatus> children = FS.listStatus(uri(path), ListStatusPOptions.newBuilder().setCommonOptions(common)
        .setLoadMetadataType(LoadMetadataPType.NEVER).build());
    children.sort(Comparator.comparing(URIStatus::getPath));
    for (URIStatus s : children) {
      System.out.println(String.join(" | ", s.getPath(), "id=" + s.getFileId(), "ufs=" + s.getUfsPath(),
          "length=" + s.getLength(), "block=" + s.getBlockSizeBytes(), "created=" + s.getCreationTimeMs(),
          "modified=" + s.getLastModificationTimeMs(), "accessed=" + s.getLastAccessTimeMs(),
          "completed=" + s.isCompleted(), "folder=" + s.isFolder(), "pinned=" + s.isPinned(),
          "cacheable=" + s.isCacheable(), "persisted=" + s.isPersisted(), "state=" + s.getPersistenceState(),
          "blocks=" + s.getBlockIds(), "lengths=" + lengths(s), "ttl=" + s.getTtl(), "action=" + s.getTtlAction(),
          "owner=" + s.getOwner(), "group=" + s.getGroup(), "mode=" + Integer.toOctalString(s.getMode()),
          "mount=" + s.isMountPoint(), "mountId=" + s.getFileInfo().getMountId(), "min=" + s.getReplicationMin(),
          "max=" + s.getReplicationMax()));
      if (s.isFolder()) {
        tree(s.getPath());
      }
    }
  }

  private static String lengths(URIStatus status) {
    StringBuilder lengths = new StringBuilder();
    status.getFileBlockInfos().forEach(block ->
        lengths.append(block.getOffset()).append('+').append(block.getBlockInfo().getLength()).append(' '));
    return lengths.toString().trim();
  }

  private static void load(String path) throws Exception {
    FS.listStatus(uri(path), ListStatusPOptions.newBuilder().setRecursive(true)
        .setLoadMetadataType(LoadMetadataPType.ALWAYS).build());
  }

  private static void directory(String path, WritePType type) throws Exception {
    FS.createDirectory(uri(path),
        CreateDirectoryPOptions.newBuilder().setRecursive(true).setWriteType(type).setAllowExists(true).build());
  }

  private static void file(String path, WritePType type) throws Exception {
    FS.createFile(uri(path), CreateFilePOptions.newBuilder().setRecursive(true).setWriteType(type).build()).close();
  }

  private static void set(String path, SetAttributePOptions.Builder options) throws Exception {
    FS.setAttribute(uri(path), options.build());
  }

  private static SetAttributePOptions.Builder ttl(long ttlMs, TtlAction action) {
    return SetAttributePOptions.newBuilder().setCommonOptions(
        FileSystemMasterCommonPOptions.newBuilder().setTtl(ttlMs).setTtlAction(action));
  }

  private static AlluxioURI uri(String path) {
    return new AlluxioURI(path);
  }
}
