package org.gradnorm4j.core.internal.dl4j;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.MemoryWorkspaceManager;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.memory.enums.AllocationPolicy;
import org.nd4j.linalg.api.memory.enums.LearningPolicy;
import org.nd4j.linalg.api.memory.enums.ResetPolicy;
import org.nd4j.linalg.api.memory.enums.SpillPolicy;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The workspaces in which replays run. ND4J keeps workspaces by thread and by name: all attachments
 * that train on one thread share one set, and the memory goes back with the last of them to be
 * detached, on whatever thread.
 *
 * <p>Whoever replays holds the monitor of the thread's instance, so that nothing is given back
 * under its feet.
 */
final class ReplayWorkspaces {
  private static final String GRADIENTS = "WS_GRADNORM4J_REPLAY_GRAD";
  private static final String LOOP = "WS_GRADNORM4J_REPLAY_LOOP";
  private static final String OTHER = "WS_GRADNORM4J_REPLAY";
  private static final String NETWORK = "WS_GRADNORM4J_NETWORK";
  private static final List<String> NAMES = List.of(GRADIENTS, LOOP, OTHER, NETWORK);

  private static final WorkspaceConfiguration CONFIGURATION =
      WorkspaceConfiguration.builder()
          .initialSize(0)
          .overallocationLimit(0.05)
          .policyAllocation(AllocationPolicy.OVERALLOCATE)
          .policyLearning(LearningPolicy.FIRST_LOOP)
          .policyReset(ResetPolicy.BLOCK_LEFT)
          .policySpill(SpillPolicy.REALLOCATE)
          .build();

  /** For the backward pass of a vertex. */
  static final LayerWorkspaceMgr OF_VERTEX =
      LayerWorkspaceMgr.builder()
          .with(ArrayType.ACTIVATION_GRAD, GRADIENTS, CONFIGURATION)
          .with(ArrayType.RNN_FF_LOOP_WORKING_MEM, LOOP, CONFIGURATION)
          .with(ArrayType.RNN_BP_LOOP_WORKING_MEM, LOOP, CONFIGURATION)
          .defaultWorkspace(OTHER, CONFIGURATION)
          .build();

  /** Around those of the vertices, where DL4J has none open for the backward pass. */
  static final LayerWorkspaceMgr OF_NETWORK =
      LayerWorkspaceMgr.builder().with(ArrayType.BP_WORKING_MEM, NETWORK, CONFIGURATION).build();

  private static final ThreadLocal<ReplayWorkspaces> OF_THREAD =
      ThreadLocal.withInitial(ReplayWorkspaces::new);

  private final Set<Object> users = Collections.newSetFromMap(new WeakHashMap<>());
  private final Set<MemoryWorkspace> opened = Collections.newSetFromMap(new IdentityHashMap<>());

  private ReplayWorkspaces() {}

  static ReplayWorkspaces ofThisThread() {
    return OF_THREAD.get();
  }

  /** Notes, after a replay on this thread, who has used what. */
  synchronized void used(Object user) {
    users.add(user);
    MemoryWorkspaceManager manager = Nd4j.getWorkspaceManager();
    for (String name : NAMES) {
      if (opened.size() < NAMES.size() && manager.checkIfWorkspaceExists(name)) {
        opened.add(manager.getWorkspaceForCurrentThread(name));
      }
    }
  }

  /** Gives the memory back if this was the last user. */
  synchronized void release(Object user) {
    users.remove(user);
    if (!users.isEmpty()) {
      return;
    }
    // Empty, each stays with its thread: ND4J keeps a reference to every workspace that ever was,
    // so
    // making new ones would add up.
    opened.forEach(workspace -> workspace.destroyWorkspace(true));
    opened.clear();
  }
}
