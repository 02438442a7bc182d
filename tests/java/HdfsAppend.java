import java.util.Arrays;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Appends with Hadoop's own client, each append made durable before the next; prints the median and p99 in ms. See scripts/bench. */
public class HdfsAppend {
  public static void main(String[] args) throws Exception {
    if (args.length != 4 || !(args[3].equals("hsync") || args[3].equals("hflush"))) {
      System.err.println("usage: HdfsAppend FILE COUNT BYTES hsync|hflush");
      System.exit(2);
    }
    Path file = new Path(args[0]);
    long[] took = new long[Integer.parseInt(args[1])];
    byte[] record = new byte[Integer.parseInt(args[2])];
    boolean disk = args[3].equals("hsync");
    FileSystem hdfs = file.getFileSystem(new Configuration());
    try (FSDataOutputStream out = hdfs.create(file)) {
      // The first half warms the machine up and is not counted.
      for (int n = -took.length; n < took.length; n++) {
        long began = System.nanoTime();
        out.write(record);
        if (disk) {
          out.hsync();
        } else {
          out.hflush();
        }
        if (n >= 0) {
          took[n] = System.nanoTime() - began;
        }
      }
    }
    hdfs.delete(file, false);
    Arrays.sort(took);
    System.out.printf(Locale.ROOT, "%.3f %.3f%n", took[took.length / 2] / 1e6, took[took.length * 99 / 100] / 1e6);
  }
}
