package org.gradnorm4j.gradnorm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.balancer.LossBalancer;
import org.junit.jupiter.api.Test;

/** Null and blank arguments, and what objects print. */
class ArgumentsTest {

  @Test
  void nullAndBlank_sayWhatMustBeThere() {
    GradNorm gradNorm = GradNorm.builder().build();
    Map<ThrowingCallable, String> all = new LinkedHashMap<>();
    all.put(
        () -> gradNorm.attach((ComputationGraph) null),
        "graph (null) must be an initialised ComputationGraph");
    all.put(
        () -> gradNorm.attach((MultiLayerNetwork) null),
        "network (null) must be an initialised MultiLayerNetwork");
    all.put(
        () -> GradNorm.builder().sharedLayer((String) null),
        "sharedLayer (null) must name a layer. For the default leave sharedLayer(...) out");
    all.put(() -> GradNorm.builder().sharedLayer((String[]) null), "sharedLayer (null) must name");
    all.put(() -> GradNorm.builder().sharedLayer("fc", " "), "sharedLayer (' ') must name a layer");
    all.put(
        () -> GradNorm.builder().lossWeightUpdater(null),
        "lossWeightUpdater (null) must be an updater, such as Adam");
    all.put(
        () -> GradNorm.builder().weightUpdate(null),
        "weightUpdate (null) must be one of [MULTIPLICATIVE, ADDITIVE]");
    all.put(
        () -> GradNorm.builder().lossScale(null),
        "lossScale (null) must be one of [EXAMPLES, LABELS]");
    all.put(
        () -> GradNorm.builder().onNonFinite(null),
        "onNonFinite (null) must be one of [SKIP, THROW]");
    all.put(
        () -> GradNorm.builder().initialLoss(null),
        "initialLoss (null) must be a source, such as InitialLoss.first()");
    all.put(
        () -> GradNorm.builder().initialLoss("a", null),
        "initialLoss (null) must be a source, such as InitialLoss.first()");
    all.put(
        () -> GradNorm.builder().pin(null, 1),
        "task (null) must be the name of a task: an output, a term, or a penalty");
    all.put(() -> GradNorm.builder().pin("", 1), "task ('') must be the name of a task");
    all.put(
        () -> GradNorm.builder().weightLimits("a", 0.5, Double.NaN),
        "maximum weight (NaN) must be >= the minimum weight (0.5)");
    all.put(
        () -> new InitialLossSource(null, 1, 0),
        "kind (null) must be one of [MEASURED, UNINFORMED, GIVEN]");
    all.put(
        () -> GradNorm.builder().history(null),
        "history (null) must be a limit, such as History.all()");
    all.put(
        () -> LossBalancer.of(null),
        "weighting (null) must be a strategy, such as EqualWeights.create()");
    all.put(() -> gradNorm.change(null), "changes (null) must be made to the builder");
    all.put(() -> gradNorm.save(null), "file (null) must be a path to write to");
    all.put(() -> GradNorm.restore(null), "file (null) must be a path that save(...)");
    all.put(() -> GradNorm.restoreFromModel(null), "file (null) must be a path that writeModel");
    all.put(
        () -> gradNorm.writeModel(null, Path.of("model.zip")),
        "network (null) must be the one that this is, or was, attached to");
    all.forEach(
        (call, message) ->
            assertThatThrownBy(call)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(message));
  }

  /** Every method of the builder, with null or a blank for one argument after the other. */
  @Test
  void everyBuilderMethod_refusesNullByName() throws Exception {
    int tried = 0;
    for (Method method : GradNormBuilder.class.getDeclaredMethods()) {
      Class<?>[] types = method.getParameterTypes();
      for (int i = 0; i < types.length && Modifier.isPublic(method.getModifiers()); i++) {
        if (!types[i].isPrimitive()) {
          assertRefused(method, i, null);
          tried++;
          if (types[i] == String.class) {
            assertRefused(method, i, " ");
          }
        }
      }
    }
    assertThat(tried).isGreaterThanOrEqualTo(14);
  }

  private static void assertRefused(Method method, int argument, Object value) {
    Object[] arguments =
        Arrays.stream(method.getParameterTypes()).map(ArgumentsTest::usual).toArray();
    arguments[argument] = value;
    assertThatThrownBy(() -> method.invoke(GradNorm.builder(), arguments))
        .as("%s, argument %d", method.getName(), argument)
        .isInstanceOf(InvocationTargetException.class)
        .cause()
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must");
  }

  private static Object usual(Class<?> type) {
    if (type == String.class) {
      return "a";
    }
    if (type == int.class) {
      return 1;
    }
    return type == double.class
        ? (Object) 0.5
        : type == InitialLoss.class ? InitialLoss.first() : null;
  }

  @Test
  void text_showsSettingsTasksWeightsAndSteps() {
    GradNorm gradNorm = GradNorm.builder().alpha(0.7).build();
    assertThat(gradNorm.toString())
        .startsWith(
            "GradNorm[not attached yet, settings {alpha=0.7, weight update=multiplicative,");
    ComputationGraph net = TrainingProcess.network();
    gradNorm.attach(net);
    assertThat(gradNorm.toString())
        .startsWith(
            "GradNorm[loss weights {a=1.0, b=1.0, c=1.0} after 0 measured steps, attached, settings {strategy=GradNorm, shared layer=trunk, alpha=0.7,");
    assertThat(gradNorm.history().toString())
        .startsWith(
            "History[tasks [a, b, c], no step yet, settings {strategy=GradNorm, shared layer=trunk,");
    TrainingProcess.train(net, 3);
    gradNorm.freeze();
    gradNorm.detach();
    assertThat(gradNorm.toString())
        .startsWith("GradNorm[loss weights " + gradNorm.lossWeights())
        .contains("after 3 measured steps, frozen, detached");
    assertThat(gradNorm.history().toString())
        .startsWith("History[tasks [a, b, c], 3 steps, iterations 0 to 2, settings");
  }
}
