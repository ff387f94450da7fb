package org.gradnorm4j.core.internal.dl4j;

/** Tells the threads of a ParallelWrapper's workers from others. */
public final class WorkerThread {
  private WorkerThread() {}

  /** Whether the calling thread is a worker's that trains. Looks at the whole stack. */
  public static boolean isCurrent() {
    return StackWalker.getInstance()
        .walk(
            frames ->
                frames.anyMatch(
                    frame ->
                        frame
                            .getClassName()
                            .startsWith("org.deeplearning4j.parallelism.trainer.")));
  }
}
