package org.gradnorm4j.core.probe;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.gradnorm4j.core.StepMeasurement;
import org.gradnorm4j.core.analysis.GradientAnalysis;
import org.gradnorm4j.core.analysis.GradientNorms;
import org.gradnorm4j.core.probe.InputNetworks.Kind;
import org.gradnorm4j.core.probe.InputNetworks.Role;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;

/**
 * One array after the other goes into three copies of a network: plain, attached, and attached but
 * given the same numbers in an ordinary array.
 */
final class InputTrial {
  private static final double TOLERANCE = 1e-5;

  private final Kind kind;
  private final DataType type;
  private final List<StepMeasurement> steps = new ArrayList<>();
  private final List<String> faults = new ArrayList<>();
  private final Model plain;
  private final Model attached;
  private final Model ordinary;
  private int trained;
  private int measured;

  InputTrial(Kind kind, DataType type) {
    this.kind = kind;
    this.type = type;
    plain = kind.build(type);
    attached = attach(kind.build(type));
    ordinary = attach(kind.build(type));
  }

  private Model attach(Model net) {
    if (net instanceof ComputationGraph graph) {
      GradientNormProbe.attach(graph, List.of("shared"), steps::add);
    } else {
      GradientNormProbe.attach((MultiLayerNetwork) net, List.of("shared"), steps::add);
    }
    return net;
  }

  /** Where the attached network did otherwise than plain DL4J. */
  List<String> faults() {
    return faults;
  }

  /** How many arrays plain DL4J trained with. */
  int trained() {
    return trained;
  }

  /** How many of them it took for the numbers they hold, so that the norms could be compared. */
  int measured() {
    return measured;
  }

  /** One step of each; the supplier makes the array anew each time. */
  void train(Role role, Supplier<INDArray> make) {
    steps.clear();
    INDArray array = make.get();
    INDArray untouched = array.dup();
    INDArray ofPlain = make.get();
    String refused = refusal(() -> InputNetworks.fit(plain, kind.batch(type, role, ofPlain)));
    String own = refusal(() -> InputNetworks.fit(attached, kind.batch(type, role, array)));
    String name = name(role, array);
    if (!own.equals(refused)) {
      faults.add(name + "plain '" + refused + "', attached '" + own + "'");
    }
    if (!array.equals(ofPlain) || !array.equals(untouched)) {
      faults.add(name + "written into");
    }
    if (!attached.params().equalsWithEps(plain.params(), 0.0)) {
      faults.add(name + "trains differently");
    }
    if (refused.isEmpty()) {
      trained++;
      compareWithOrdinary(role, array, name);
    }
    for (Model net : List.of(attached, ordinary)) {
      net.setParams(plain.params());
    }
  }

  private void compareWithOrdinary(Role role, INDArray array, String name) {
    InputNetworks.fit(ordinary, kind.batch(type, role, array.castTo(type).dup('c')));
    if (!ordinary.params().equalsWithEps(plain.params(), TOLERANCE)) {
      return; // DL4J itself takes it for other numbers
    }
    measured++;
    if (steps.size() != 2 || !isNear(steps.get(0), steps.get(1))) {
      faults.add(name + steps);
    }
  }

  /** Analyses at the parameters of the plain network, if that trains with the array. */
  void analyze(Role role, Supplier<INDArray> make) {
    INDArray array = make.get();
    MultiDataSet batch = kind.batch(type, role, array);
    String name = name(role, array);
    String own = refusal(() -> analysis(batch));
    MultiDataSet ofPlain = kind.batch(type, role, make.get());
    String refused = refusal(() -> InputNetworks.fit(plain, ofPlain));
    if (!own.equals(refused)) {
      faults.add(name + "training '" + refused + "', analysis '" + own + "'");
    }
    if (!array.equals(make.get())) {
      faults.add(name + "written into");
    }
    if (refused.isEmpty() && own.isEmpty()) {
      trained++;
      MultiDataSet same = kind.batch(type, role, array.castTo(type).dup('c'));
      double[] norms = norms(analysis(same));
      if (isNear(norms(analysis(batch)), norms)) {
        measured++;
      }
    }
  }

  private GradientAnalysis analysis(MultiDataSet batch) {
    return plain instanceof ComputationGraph graph
        ? GradientNorms.of(graph).analyze(batch)
        : GradientNorms.of((MultiLayerNetwork) plain).analyze(batch);
  }

  private static double[] norms(GradientAnalysis analysis) {
    return analysis.all().parts().stream().mapToDouble(part -> part.norm().mean()).toArray();
  }

  private static String name(Role role, INDArray array) {
    return String.format(
        Locale.ROOT,
        "%s %s %s, strides %s: ",
        role,
        array.dataType(),
        Arrays.toString(array.shape()),
        Arrays.toString(array.stride()));
  }

  /** What is said against it; empty if nothing is. */
  private static String refusal(Runnable fit) {
    try {
      fit.run();
      return "";
    } catch (RuntimeException e) {
      return e.getClass().getName() + ": " + e.getMessage();
    }
  }

  private static boolean isNear(StepMeasurement a, StepMeasurement b) {
    return Arrays.equals(a.present(), b.present())
        && isNear(a.losses(), b.losses())
        && isNear(a.lossesPerLabel(), b.lossesPerLabel())
        && isNear(a.gradientNorms(), b.gradientNorms());
  }

  private static boolean isNear(double[] a, double[] b) {
    for (int i = 0; i < a.length; i++) {
      boolean near = Math.abs(a[i] - b[i]) <= TOLERANCE * Math.max(1e-3, Math.abs(b[i]));
      if (!near && !(Double.isNaN(a[i]) && Double.isNaN(b[i]))) {
        return false;
      }
    }
    return true;
  }
}
