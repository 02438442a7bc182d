import alluxio.AlluxioURI;
import alluxio.ClientContext;
import alluxio.client.file.FileSystem;
import alluxio.client.file.FileSystemContext;
import alluxio.client.file.URIStatus;
import alluxio.conf.AlluxioConfiguration;
import alluxio.conf.Configuration;
import alluxio.conf.PropertyKey;
import alluxio.grpc.BlockMasterClientServiceGrpc;
import alluxio.grpc.BlockMasterWorkerServiceGrpc;
import alluxio.grpc.CommitBlockPRequest;
import alluxio.grpc.FileInfo;
import alluxio.grpc.FileSystemMasterClientServiceGrpc;
import alluxio.grpc.FileSystemMasterWorkerServiceGrpc;
import alluxio.grpc.GetNewBlockIdForFilePRequest;
import alluxio.grpc.GetRegisterLeasePRequest;
import alluxio.grpc.GetWorkerIdPRequest;
import alluxio.grpc.GetStatusPOptions;
import alluxio.grpc.GetStatusPRequest;
import alluxio.grpc.GrpcChannel;
import alluxio.grpc.GrpcChannelBuilder;
import alluxio.grpc.GrpcServerAddress;
import alluxio.grpc.GrpcUtils;
import alluxio.grpc.LoadMetadataPType;
import alluxio.grpc.RegisterWorkerPRequest;
import alluxio.grpc.WorkerNetAddress;
import alluxio.security.User;
import alluxio.shaded.client.com.google.protobuf.ByteString;
import alluxio.shaded.client.com.google.protobuf.Descriptors.EnumValueDescriptor;
import alluxio.shaded.client.com.google.protobuf.Descriptors.FieldDescriptor;
import alluxio.shaded.client.com.google.protobuf.Message;
import alluxio.shaded.client.com.google.protobuf.TextFormat;
import alluxio.shaded.client.io.grpc.CallOptions;
import alluxio.shaded.client.io.grpc.MethodDescriptor;
import alluxio.shaded.client.io.grpc.ServiceDescriptor;
import alluxio.shaded.client.io.grpc.StatusRuntimeException;
import alluxio.shaded.client.io.grpc.stub.ClientCalls;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.security.auth.Subject;

/**
 * Sends the calls of standard input to one master, with the unmodified 2.9.6 client, and prints a line for each answer
 * that is the same for every master which answers alike: ids are named by where they are first seen, times are the numbers
 * of the calls in which they lie, names of folders that are this run's own are put back. See tests/differential, and
 * scripts/java-client.
 *
 * <p>A line is: user, what, and its words, with tabs between. What is the name of an RPC (its word is the request in
 * protobuf's text format), {@code fs.} and a method of FileSystem (paths, then options), or one of {@code begin, local,
 * commit, worker}. In words {@code {T}} is the directory of the sequence, {@code {U}} where it lies in the UFS,
 * {@code {O}} the folder beside that is mounted, {@code {RUN}} the number of the sequence, {@code {ID:path}} the id that
 * path had when it was last told of.
 */
public class DifferentialProbe {
  private static final AlluxioConfiguration CONF = Configuration.global();
  private static final Pattern TIME = Pattern.compile("(?<!\\d)1[6-9]\\d{11}(?!\\d)");
  private static final Pattern LONG_NUMBER = Pattern.compile("(?<!\\d)-?\\d{13,}(?!\\d)|(?<=inodeId |inode id )\\d+");
  private static final Pattern ID = Pattern.compile("\\{ID:([^}]*)}");
  /** What the clock of files may be behind that of the calls. */
  private static final long TICK_MS = 5;

  private final String mUfs;
  private final String mOther;
  private final Map<String, MethodDescriptor<Message, Message>> mMethods = new HashMap<>();
  private final Map<String, GrpcChannel> mChannels = new HashMap<>();
  private final Map<String, FileSystem> mClients = new HashMap<>();
  private long mWorker;

  // Of the sequence:
  private String mTop = "/";
  private String mRun = "0";
  private final Map<Long, String> mIds = new HashMap<>();
  private final Map<String, Long> mIdsOfPaths = new HashMap<>();
  private final List<long[]> mCalls = new ArrayList<>();

  private DifferentialProbe(String ufs, String other) {
    mUfs = ufs;
    mOther = other;
    for (ServiceDescriptor service : new ServiceDescriptor[] {FileSystemMasterWorkerServiceGrpc.getServiceDescriptor(),
        BlockMasterClientServiceGrpc.getServiceDescriptor(), FileSystemMasterClientServiceGrpc.getServiceDescriptor()}) {
      for (MethodDescriptor<?, ?> method : service.getMethods()) {
        @SuppressWarnings("unchecked")
        MethodDescriptor<Message, Message> typed = (MethodDescriptor<Message, Message>) method;
        mMethods.put(method.getFullMethodName().replaceFirst(".*/", ""), typed);
      }
    }
  }

  public static void main(String[] args) throws Exception {
    DifferentialProbe probe = new DifferentialProbe(args[0], args[1]);
    PrintStream out = new PrintStream(System.out, false, "UTF-8");
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(probe.answer(line.split("\t", -1)));
      out.flush();
    }
    System.exit(0); // the client leaves threads behind
  }

  private String answer(String[] words) throws Exception {
    if (words[1].equals("begin")) {
      begin(words[2]);
      return "ok";
    }
    long[] call = {System.currentTimeMillis(), Long.MAX_VALUE};
    mCalls.add(call);
    String answer;
    try {
      StringBuilder tokens = new StringBuilder("ok");
      for (String token : perform(words)) {
        tokens.append('\t').append(escaped(token));
      }
      answer = tokens.toString();
    } catch (StatusRuntimeException e) {
      answer = "error\t" + e.getStatus().getCode() + '\t' + escaped(text(String.valueOf(e.getStatus().getDescription())));
    } catch (Exception e) {
      answer = "error\t" + e.getClass().getSimpleName() + '\t' + escaped(text(String.valueOf(e.getMessage())));
    }
    call[1] = System.currentTimeMillis();
    Thread.sleep(TICK_MS + 2); // so that a time lies in one call only
    return answer;
  }

  private void begin(String name) {
    mTop = "/" + name;
    mRun = name.replaceAll("\\D", "");
    mIds.clear();
    mIdsOfPaths.clear();
    mCalls.clear();
  }

  private List<String> perform(String[] words) throws Exception {
    for (int i = 2; i < words.length; i++) {
      words[i] = filled(words[i]);
    }
    String user = words[0];
    if (words[1].startsWith("fs.")) {
      return client(user, words);
    }
    String opened = words[1].equals("commit") ? words[2] : words[1].equals("GetNewBlockIdForFile")
        ? TextFormat.parse(words[2], GetNewBlockIdForFilePRequest.class).getPath() : null;
    if (opened != null && isDirectory(opened)) {
      return Collections.singletonList("not sent, as a 2.9.6 master ends when it is asked for a block of a directory");
    }
    switch (words[1]) {
      case "worker":
        registerWorker(user);
        return Collections.emptyList();
      case "commit":
        return Collections.singletonList("block=" + commit(user, words[2], Long.parseLong(words[3])));
      case "local":
        return local(words);
      default:
        return rpc(user, words[1], words[2]);
    }
  }

  // --- RPCs

  private List<String> rpc(String user, String name, String request) throws Exception {
    MethodDescriptor<Message, Message> method = mMethods.get(name);
    Message.Builder builder = ((MethodDescriptor.PrototypeMarshaller<Message>) method.getRequestMarshaller())
        .getMessagePrototype().newBuilderForType();
    TextFormat.merge(request, builder);
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(30, TimeUnit.SECONDS);
    List<String> tokens = new ArrayList<>();
    if (method.getType() == MethodDescriptor.MethodType.UNARY) {
      print("", ClientCalls.blockingUnaryCall(channel(user), method, options, builder.build()), tokens);
      return tokens;
    }
    Iterator<Message> messages =
        ClientCalls.blockingServerStreamingCall(channel(user), method, options, builder.build());
    int count = 0;
    while (messages.hasNext()) {
      Message message = messages.next();
      // One stream of things, however many of them a message has.
      for (Map.Entry<FieldDescriptor, Object> field : message.getAllFields().entrySet()) {
        for (Object info : (List<?>) field.getValue()) {
          print("[" + count++ + "].", (Message) info, tokens);
        }
      }
    }
    return tokens;
  }

  private GrpcChannel channel(String user) throws IOException {
    GrpcChannel channel = mChannels.get(user);
    if (channel == null || !channel.isHealthy()) {
      InetSocketAddress address = new InetSocketAddress(CONF.getString(PropertyKey.MASTER_HOSTNAME),
          CONF.getInt(PropertyKey.MASTER_RPC_PORT));
      channel = GrpcChannelBuilder.newBuilder(GrpcServerAddress.create(address), CONF).setSubject(subject(user)).build();
      mChannels.put(user, channel);
    }
    return channel;
  }

  private static Subject subject(String user) {
    return new Subject(false, Collections.singleton(new User(user)), Collections.emptySet(), Collections.emptySet());
  }

  /** A worker that is never heard of again, so that blocks can have a place. */
  private void registerWorker(String user) throws IOException {
    mChannels.clear(); // the master may have begun anew to listen
    BlockMasterWorkerServiceGrpc.BlockMasterWorkerServiceBlockingStub master =
        BlockMasterWorkerServiceGrpc.newBlockingStub(channel(user));
    WorkerNetAddress address = WorkerNetAddress.newBuilder().setHost("worker").setRpcPort(1).setDataPort(1).setWebPort(2)
        .setDomainSocketPath("").build();
    mWorker = master.getWorkerId(GetWorkerIdPRequest.newBuilder().setWorkerNetAddress(address).build()).getWorkerId();
    master.requestRegisterLease(GetRegisterLeasePRequest.newBuilder().setWorkerId(mWorker).setBlockCount(0).build());
    master.registerWorker(RegisterWorkerPRequest.newBuilder().setWorkerId(mWorker).addStorageTiers("MEM")
        .putTotalBytesOnTiers("MEM", 1L << 50).putUsedBytesOnTiers("MEM", 0).build());
  }

  private boolean isDirectory(String path) throws IOException {
    GetStatusPRequest request = GetStatusPRequest.newBuilder().setPath(path)
        .setOptions(GetStatusPOptions.newBuilder().setLoadMetadataType(LoadMetadataPType.NEVER)).build();
    try {
      return FileSystemMasterClientServiceGrpc.newBlockingStub(channel("root")).getStatus(request).getFileInfo().getFolder();
    } catch (StatusRuntimeException e) {
      return false;
    }
  }

  /** A new block of a file that is open, which the worker then says it has. */
  private String commit(String user, String path, long length) throws IOException {
    long block = FileSystemMasterClientServiceGrpc.newBlockingStub(channel(user))
        .getNewBlockIdForFile(GetNewBlockIdForFilePRequest.newBuilder().setPath(path).build()).getId();
    BlockMasterWorkerServiceGrpc.newBlockingStub(channel(user)).commitBlock(CommitBlockPRequest.newBuilder()
        .setWorkerId(mWorker).setUsedBytesOnTier(1).setTierAlias("MEM").setMediumType("MEM").setBlockId(block)
        .setLength(length).build());
    return id("blockId", block);
  }

  // --- The FileSystem of the client

  private List<String> client(String user, String[] words) throws Exception {
    String name = words[1].substring(3);
    FileSystem client = mClients.computeIfAbsent(user,
        u -> FileSystem.Factory.create(FileSystemContext.create(ClientContext.create(subject(u), CONF))));
    for (Method method : FileSystem.class.getMethods()) {
      Class<?>[] types = method.getParameterTypes();
      if (method.getName().equals(name) && types.length == words.length - 2 && types[0] == AlluxioURI.class
          && Message.class.isAssignableFrom(types[types.length - 1])) {
        Object[] arguments = new Object[types.length];
        for (int i = 0; i + 1 < types.length; i++) {
          arguments[i] = new AlluxioURI(words[i + 2]);
        }
        Message.Builder options = (Message.Builder) types[types.length - 1].getMethod("newBuilder").invoke(null);
        TextFormat.merge(words[words.length - 1], options);
        arguments[types.length - 1] = options.build();
        return told(invoke(client, method, arguments));
      }
    }
    throw new IllegalArgumentException("no method " + name);
  }

  private static Object invoke(FileSystem client, Method method, Object[] arguments) throws Exception {
    try {
      return method.invoke(client, arguments);
    } catch (InvocationTargetException e) {
      throw (Exception) e.getCause();
    }
  }

  private List<String> told(Object result) throws IOException {
    List<String> tokens = new ArrayList<>();
    if (result instanceof URIStatus) {
      print("fileInfo.", GrpcUtils.toProto(((URIStatus) result).getFileInfo()), tokens);
    } else if (result instanceof List) {
      int count = 0;
      for (Object status : (List<?>) result) {
        print("[" + count++ + "].", GrpcUtils.toProto(((URIStatus) status).getFileInfo()), tokens);
      }
    } else if (result instanceof Closeable) {
      ((Closeable) result).close();
    } else if (result != null) {
      tokens.add("result=" + result);
    }
    return tokens;
  }

  // --- The folders of the UFS

  private List<String> local(String[] words) throws Exception {
    Path path = Paths.get(words.length > 3 ? words[3] : "");
    Thread.sleep(4 * TICK_MS); // the clock of files is to be within this call, too
    switch (words[2]) {
      case "mkdir":
        Files.createDirectories(path);
        break;
      case "write":
        Files.write(path, new byte[Integer.parseInt(words[4])]);
        break;
      case "rm":
        for (Path each : below(path)) {
          Files.delete(each);
        }
        break;
      case "chmod":
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(words[4]));
        break;
      case "chown":
        Files.getFileAttributeView(path, PosixFileAttributeView.class)
            .setOwner(path.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(words[4]));
        break;
      case "settle": // longer than anybody remembers what was not there
        Thread.sleep(1100);
        break;
      case "ls":
        List<Path> all = below(path);
        Collections.reverse(all);
        return all.stream().map(DifferentialProbe.this::described).sorted().collect(Collectors.toList());
      default:
        throw new IllegalArgumentException(words[2]);
    }
    return Collections.emptyList();
  }

  /** Children before parents. */
  private static List<Path> below(Path path) throws IOException {
    try (Stream<Path> all = Files.walk(path)) {
      return all.sorted(Comparator.reverseOrder()).collect(Collectors.toList());
    }
  }

  private String described(Path path) {
    try {
      PosixFileAttributes is = Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
      return text(path.toString()) + "=" + (is.isDirectory() ? "directory" : "file:" + is.size()) + ' '
          + PosixFilePermissions.toString(is.permissions()) + ' ' + is.owner().getName() + ' ' + is.group().getName();
    } catch (IOException e) {
      return text(path.toString()) + "=" + e;
    }
  }

  // --- Answers

  /** Each field whose value says something, as name=value. */
  private void print(String prefix, Message message, List<String> tokens) {
    if (message instanceof FileInfo) {
      FileInfo info = (FileInfo) message;
      mIdsOfPaths.put(info.getPath(), info.getFileId());
      mIds.putIfAbsent(info.getFileId(), '#' + text(info.getPath()));
    }
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      String name = prefix + field.getName();
      if (field.isMapField()) {
        printMap(name, (List<?>) message.getField(field), tokens);
      } else if (field.isRepeated()) {
        printAll(name, field, (List<?>) message.getField(field), tokens);
      } else if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
        if (message.hasField(field)) {
          print(name + '.', (Message) message.getField(field), tokens);
        }
      } else if (!isNothing(field, message.getField(field))) {
        tokens.add(name + '=' + value(field, message.getField(field)));
      }
    }
  }

  private void printAll(String name, FieldDescriptor field, List<?> values, List<String> tokens) {
    if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
      for (int i = 0; i < values.size(); i++) {
        print(name + '[' + i + "].", (Message) values.get(i), tokens);
      }
    } else if (!values.isEmpty()) {
      tokens.add(name + '=' + values.stream().map(v -> value(field, v)).collect(Collectors.joining(",")));
    }
  }

  private void printMap(String name, List<?> entries, List<String> tokens) {
    Map<String, Object> sorted = new TreeMap<>();
    for (Object entry : entries) {
      FieldDescriptor key = ((Message) entry).getDescriptorForType().findFieldByNumber(1);
      FieldDescriptor value = ((Message) entry).getDescriptorForType().findFieldByNumber(2);
      sorted.put(String.valueOf(((Message) entry).getField(key)), value.getJavaType() == FieldDescriptor.JavaType.MESSAGE
          ? ((Message) entry).getField(value) : value(value, ((Message) entry).getField(value)));
    }
    for (Map.Entry<String, Object> entry : sorted.entrySet()) {
      String key = entry.getKey();
      if (name.equals("mountPoints") && !key.equals("/") && !(key + "/").startsWith(mTop + "/")) {
        continue; // of another sequence
      }
      if (entry.getValue() instanceof Message) {
        print(name + '[' + text(key) + "].", (Message) entry.getValue(), tokens);
      } else {
        tokens.add(name + '[' + text(key) + "]=" + entry.getValue());
      }
    }
  }

  private static boolean isNothing(FieldDescriptor field, Object value) {
    return value.equals(field.getDefaultValue()) || value.equals(0) || value.equals(0L) || value.equals("");
  }

  private String value(FieldDescriptor field, Object value) {
    String name = field.getName();
    if (value instanceof ByteString) {
      return text(((ByteString) value).toStringUtf8());
    } else if (value instanceof EnumValueDescriptor) {
      return ((EnumValueDescriptor) value).getName();
    } else if (value instanceof String) {
      return text((String) value);
    } else if (value instanceof Long) {
      long number = (Long) value;
      if (name.endsWith("TimeMs")) {
        return time(number);
      } else if (name.equals("id") || name.endsWith("Id") || name.equals("blockIds")) {
        return id(name, number);
      } else if (name.startsWith("ufsCapacity") || name.startsWith("ufsUsed")) {
        return number > 0 ? "some" : String.valueOf(number);
      }
    }
    return String.valueOf(value);
  }

  /** Files by the path at which they are first seen, blocks by their file and their number in it, all else by its order. */
  private String id(String name, long id) {
    if (id <= 0 || (name.equals("mountId") && id == 1)) {
      return String.valueOf(id); // that of the root
    }
    if (name.equals("workerId")) {
      return id == mWorker ? "#worker" : "#other";
    }
    boolean isBlock = name.equals("id") || name.startsWith("block");
    long file = isBlock ? id | 0xFFFFFF : id;
    String ordinal = mIds.computeIfAbsent(file, i -> "#" + mIds.size());
    return isBlock ? ordinal + '.' + (id & 0xFFFFFF) : ordinal;
  }

  /** The number of the call in which it lies. */
  private String time(long time) {
    for (int i = 0; i < mCalls.size(); i++) {
      if (time >= mCalls.get(i)[0] - TICK_MS && time <= mCalls.get(i)[1]) {
        return "@" + i;
      }
    }
    if (time < 1_000_000_000_000L) {
      return String.valueOf(time);
    }
    return time < mCalls.get(0)[0] ? "before" : "between";
  }

  private String filled(String word) {
    String name = mTop.substring(1);
    word = word.replace("{T}", mTop).replace("{U}", mUfs + mTop).replace("{O}", mOther + mTop).replace("{RUN}", mRun)
        .replace("{t}", name);
    Matcher matcher = ID.matcher(word);
    StringBuffer filled = new StringBuffer();
    while (matcher.find()) {
      matcher.appendReplacement(filled, String.valueOf(mIdsOfPaths.getOrDefault(matcher.group(1), 12345L)));
    }
    return matcher.appendTail(filled).toString();
  }

  private String text(String text) {
    text = text.replace(mUfs + mTop, "{U}").replace(mOther + mTop, "{O}").replace(mUfs, "{UFS}").replace(mOther, "{OTHER}")
        .replace(mTop, "{T}").replace(mTop.substring(1), "{t}");
    Matcher matcher = TIME.matcher(text);
    StringBuffer told = new StringBuffer();
    while (matcher.find()) {
      matcher.appendReplacement(told, time(Long.parseLong(matcher.group())));
    }
    return LONG_NUMBER.matcher(matcher.appendTail(told)).replaceAll("#");
  }

  private static String escaped(String text) {
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r");
  }
}
