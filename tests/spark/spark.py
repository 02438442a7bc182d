"""Spark on Alluxio, with a command run in the middle: writes partitioned Parquet below a root, reads it back, overwrites, appends, saves a
table, and compares all rows with what they must be. Prints a line per step, and "all right" at the end; exit code 1 if a row is
missing, doubled or another, or if Spark gave up.

usage: spark.py ROOT --client-jar JAR [--algorithm 1|2] [--rows N] [--tasks N] [--moment STEP:WHEN ...] [--command COMMAND]
                [--keep] [--steps write,overwrite,append,table,dynamic] [-Dkey=value ...]

ROOT, e.g. alluxio://zk@HOST:PORT;HOST:PORT/spark. A moment is a step and when in it: `tasks` (a third of its tasks have ended), `last`
(all but one), `commit` (all have ended, the job is committed) or `read` (while its rows are read back). COMMAND is run by
the shell then, with the moment as $1. -D: properties of Alluxio's client."""

import argparse
import subprocess
import sys
import threading
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

PARTS = 10
STEPS = ["write", "overwrite", "append", "table", "dynamic"]


def arguments():
    words, properties = [], {}
    for word in sys.argv[1:]:
        if word.startswith("-D"):
            key, _, value = word[2:].partition("=")
            properties[key] = value
        else:
            words.append(word)
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("root")
    parser.add_argument("--client-jar", required=True)
    parser.add_argument("--algorithm", default="1", choices=["1", "2"])
    parser.add_argument("--rows", type=int, default=60000)
    parser.add_argument("--tasks", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long a task takes at least")
    parser.add_argument("--moment", action="append", default=[])
    parser.add_argument("--command", default="true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--steps", default=",".join(STEPS))
    options = parser.parse_args(words)
    options.properties = properties
    return options


def say(text):
    now = time.time()
    print(time.strftime("%H:%M:%S", time.localtime(now)) + ".%03d %s" % (now * 1000 % 1000, text), flush=True)


class Watch:
    """Runs the command when the tasks of a job of this group have come so far."""

    def __init__(self, spark, options, step):
        self.tracker = spark.sparkContext.statusTracker()
        self.options, self.step = options, step
        self.tasks = options.tasks
        self.ended = threading.Event()
        self.met = set()
        spark.sparkContext.setJobGroup(step, step)
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def run(self):
        while not self.ended.is_set():
            done = 0
            for job in self.tracker.getJobIdsForGroup(self.step):
                info = self.tracker.getJobInfo(job)
                for stage in info.stageIds if info else []:
                    at = self.tracker.getStageInfo(stage)
                    if at and at.numTasks == self.tasks:
                        done = max(done, at.numCompletedTasks)
            if done * 3 >= self.tasks:
                self.moment("tasks")
            if done == self.tasks - 1:
                self.moment("last")
            if done == self.tasks:
                self.moment("commit")
            time.sleep(0.01)

    def moment(self, when):
        if when in self.met:
            return
        self.met.add(when)
        at_moment(self.options, f"{self.step}:{when}")


def at_moment(options, moment):
    if moment not in options.moment:
        return
    say(f"at {moment}: the command")
    ended = subprocess.run(["sh", "-c", options.command, "sh", moment])
    say(f"at {moment}: the command has ended with {ended.returncode}")


def main():
    options = arguments()
    builder = (
        SparkSession.builder.master("local[2,4]")
        .appName("alluxio-rs")
        .config("spark.jars", options.client_jar)
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "1g")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.warehouse.dir", options.root + "/warehouse")
        .config("spark.hadoop.fs.alluxio.impl", "alluxio.hadoop.FileSystem")
        .config("spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version", options.algorithm)
    )
    for key, value in options.properties.items():
        builder = builder.config("spark.hadoop." + key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("WARN")
    wrong = []

    # Rows from..to, in as many tasks as was asked; each takes its time, so that files are open when something happens.
    def rows(first, last, kind):
        rest = options.seconds / 20
        step = max(1, (last - first) // options.tasks // 20)

        def slowly(iterator):
            for n, row in enumerate(iterator):
                if n % step == 0:
                    time.sleep(rest)
                key = row[0]
                yield (key, kind, "%s-%d-" % (kind, key) + "x" * (key % 97), key % PARTS)

        return (
            spark.range(first, last, 1, options.tasks)
            .rdd.mapPartitions(slowly)
            .toDF("id long, kind string, text string, part int")
        )

    # Every row once, and as it was written.
    def check(step, data, expected):
        started = time.time()
        reader = threading.Thread(target=at_moment, args=(options, f"{step}:read"))
        reader.start()
        told = data.groupBy("kind").agg(
            F.count("*"), F.countDistinct("id"), F.sum("id"), F.min("id"), F.max("id"),
            F.sum(F.when(F.col("text") == F.expr(
                "concat(kind, '-', cast(id as string), '-', repeat('x', cast(id % 97 as int)))"), 0).otherwise(1)),
            F.sum(F.when(F.col("part") == F.col("id") % PARTS, 0).otherwise(1)),
        ).collect()
        got = {row[0]: tuple(row)[1:] for row in told}
        want = {}
        for kind, (first, last) in expected.items():
            count = last - first
            want[kind] = (count, count, (first + last - 1) * count // 2, first, last - 1, 0, 0)
        reader.join()
        if got == want:
            say(f"{step}: {sum(v[0] for v in got.values())} rows as they must be, read in {time.time() - started:.1f} s")
        else:
            wrong.append(step)
            say(f"{step}: WRONG: {got} instead of {want}")

    def leftovers(step, path):
        hadoop = spark.sparkContext._jvm.org.apache.hadoop
        where = hadoop.fs.Path(path)
        names = [f.getPath().getName() for f in where.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()).listStatus(where)]
        hidden = sorted(n for n in names if n.startswith((".", "_")))
        if hidden != ["_SUCCESS"]:
            wrong.append(step)
            say(f"{step}: WRONG: beside the data there are {hidden}")

    path = options.root + "/data"
    n, tasks = options.rows, options.tasks
    steps = options.steps.split(",")
    spark.range(10).write.mode("overwrite").parquet(options.root + "/warm-up")

    def timed(step, write):
        started = time.time()
        say(f"{step}: begins")
        with Watch(spark, options, step):
            write()
        spark.sparkContext.setJobGroup("read", "read")
        say(f"{step}: written in {time.time() - started:.1f} s")

    if "write" in steps:
        timed("write", lambda: rows(0, n, "first").write.partitionBy("part").parquet(path))
        leftovers("write", path)
        check("write", spark.read.parquet(path), {"first": (0, n)})
    if "overwrite" in steps:
        timed("overwrite", lambda: rows(n, 3 * n // 2, "second").write.mode("overwrite").partitionBy("part").parquet(path))
        leftovers("overwrite", path)
        check("overwrite", spark.read.parquet(path), {"second": (n, 3 * n // 2)})
    if "append" in steps:
        timed("append", lambda: rows(0, n, "third").write.mode("append").partitionBy("part").parquet(path))
        leftovers("append", path)
        check("append", spark.read.parquet(path), {"second": (n, 3 * n // 2), "third": (0, n)})
    if "table" in steps:
        timed("table", lambda: rows(0, n, "fourth").write.mode("overwrite").format("parquet").saveAsTable("t"))
        check("table", spark.table("t"), {"fourth": (0, n)})
        spark.sql("create table u using parquet partitioned by (part) as select id, kind, text, part from t")
        check("table", spark.table("u"), {"fourth": (0, n)})
        spark.sql("drop table u")
        spark.sql("drop table t")
    if "dynamic" in steps:
        # Only the partitions that have new rows are replaced.
        target = options.root + "/dynamic"
        rows(0, n, "old").write.mode("overwrite").partitionBy("kind", "part").parquet(target)
        timed("dynamic", lambda: rows(n, 2 * n, "old").write.mode("overwrite").option("partitionOverwriteMode", "dynamic")
              .partitionBy("kind", "part").parquet(target))
        check("dynamic", spark.read.parquet(target).select("id", "kind", "text", "part"), {"old": (n, 2 * n)})
    if not options.keep:
        hadoop = spark.sparkContext._jvm.org.apache.hadoop
        where = hadoop.fs.Path(options.root)
        where.getFileSystem(spark.sparkContext._jsc.hadoopConfiguration()).delete(where, True)
    say("wrong: " + ", ".join(wrong) if wrong else "all right")
    spark.stop()
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
