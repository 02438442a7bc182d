import java.io.BufferedReader;
import java.io.InputStreamReader;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.recipes.leader.Participant;
import org.apache.curator.retry.ExponentialBackoffRetry;

/**
 * Contends as a Java master does. Arguments: connect string, election path, id. Prints CONNECTED, LEADER, RELEASED, and
 * on "who" one line PARTICIPANT id leads for each, then END. "release" gives leadership up, "quit" ends.
 */
public class CuratorContender {
  private static final Object HOLD = new Object();

  private static synchronized void say(String text) {
    System.out.println(text);
    System.out.flush();
  }

  public static void main(String[] args) throws Exception {
    CuratorFramework client =
        CuratorFrameworkFactory.newClient(args[0], 4000, 3000, new ExponentialBackoffRetry(200, 20));
    client.start();
    client.blockUntilConnected();
    LeaderSelector selector =
        new LeaderSelector(
            client,
            args[1],
            new LeaderSelectorListenerAdapter() {
              public void takeLeadership(CuratorFramework framework) throws Exception {
                say("LEADER");
                synchronized (HOLD) {
                  HOLD.wait();
                }
                say("RELEASED");
              }
            });
    selector.setId(args[2]);
    selector.autoRequeue();
    selector.start();
    say("CONNECTED");
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = input.readLine()) != null; ) {
      if (line.equals("who")) {
        for (Participant participant : selector.getParticipants()) {
          say("PARTICIPANT " + participant.getId() + " " + participant.isLeader());
        }
        say("END");
      } else if (line.equals("release")) {
        synchronized (HOLD) {
          HOLD.notifyAll();
        }
      } else if (line.equals("quit")) {
        selector.close();
        client.close();
        System.exit(0);
      }
    }
    System.exit(0);
  }
}
