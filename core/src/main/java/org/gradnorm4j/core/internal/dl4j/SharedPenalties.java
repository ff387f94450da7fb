package org.gradnorm4j.core.internal.dl4j;

import java.util.List;
import java.util.Locale;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;

/** The penalties of a network as far as they act on the shared layers W. */
final class SharedPenalties {
  private final NetworkTasks tasks;
  private final List<GraphVertex> sharedLayers;

  /**
   * For a network and its shared layers.
   *
   * @throws IllegalArgumentException if a penalty does not act on W at all
   */
  SharedPenalties(NetworkTasks tasks, List<GraphVertex> sharedLayers) {
    this.tasks = tasks;
    this.sharedLayers = sharedLayers;
    for (PenaltyTerm penalty : tasks.penalties()) {
      if (penalty.parts().stream().noneMatch(this::isShared)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "penalty '%s' does not act on the shared layer %s: it has no gradient there to balance. Choose a shared layer it acts on, or use Deeplearning4j's own l1 or l2, which stay as they are",
                penalty.name(),
                sharedLayers.stream().map(GraphVertex::getVertexName).toList()));
      }
    }
  }

  private boolean isShared(PenaltyTerm.Part part) {
    return sharedLayers.stream()
        .anyMatch(
            vertex -> vertex == part.vertex() && Vertices.weightKeys(vertex).contains(part.key()));
  }

  /**
   * Writes value and norm of every penalty.
   *
   * @param losses R, by task; modified
   * @param gradientNorms ‖∂R/∂W‖, by task; modified
   */
  void measure(double[] losses, double[] gradientNorms) {
    for (int i = 0; i < tasks.penalties().size(); i++) {
      PenaltyTerm penalty = tasks.penalties().get(i);
      losses[tasks.ofPenalty(i)] = penalty.value();
      gradientNorms[tasks.ofPenalty(i)] = Math.sqrt(penalty.squaredNorm(this::isShared));
    }
  }
}
