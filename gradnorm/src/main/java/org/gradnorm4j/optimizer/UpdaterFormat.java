package org.gradnorm4j.optimizer;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import org.nd4j.linalg.learning.config.AMSGrad;
import org.nd4j.linalg.learning.config.AdaDelta;
import org.nd4j.linalg.learning.config.AdaGrad;
import org.nd4j.linalg.learning.config.AdaMax;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nadam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.NoOp;
import org.nd4j.linalg.learning.config.RmsProp;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.schedule.ExponentialSchedule;
import org.nd4j.linalg.schedule.FixedSchedule;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.linalg.schedule.InverseSchedule;
import org.nd4j.linalg.schedule.MapSchedule;
import org.nd4j.linalg.schedule.PolySchedule;
import org.nd4j.linalg.schedule.ScheduleType;
import org.nd4j.linalg.schedule.SigmoidSchedule;
import org.nd4j.linalg.schedule.StepSchedule;

/**
 * ND4J's updaters and learning-rate schedules as plain numbers, and back. ND4J's own JSON would let
 * a file name any class to be loaded; here a name only chooses from these lists. Internal to the
 * library.
 */
public final class UpdaterFormat {

  /** What a schedule counts. */
  public enum Unit {
    /** Nothing: it is constant. */
    NONE(null),
    /** Steps. */
    ITERATION(ScheduleType.ITERATION),
    /** Epochs. */
    EPOCH(ScheduleType.EPOCH);

    private final ScheduleType type;

    Unit(ScheduleType type) {
      this.type = type;
    }

    private static Unit of(ScheduleType type) {
      return type == null ? NONE : valueOf(type.name());
    }
  }

  /**
   * An updater in a state file.
   *
   * @param kind simple name of its class
   * @param values its numbers, in the order of the lists below
   * @param schedule of its learning rate; null for none
   */
  public record Entry(String kind, double[] values, Schedule schedule) {}

  /**
   * A schedule in a state file.
   *
   * @param kind simple name of its class
   * @param unit what it counts
   * @param values its numbers, in the order of the lists below
   */
  public record Schedule(String kind, Unit unit, double[] values) {}

  private record Kind<V>(
      Class<? extends V> type,
      Function<V, double[]> values,
      Function<V, ScheduleType> unit,
      BiFunction<ScheduleType, double[], V> create,
      Function<V, ISchedule> schedule) {}

  /** Learning rate first, where there is one. */
  private static final List<Kind<IUpdater>> UPDATERS =
      List.of(
          updater(
              Sgd.class,
              Sgd::getLearningRateSchedule,
              u -> numbers(u.getLearningRate()),
              v -> new Sgd(v[0])),
          updater(
              Adam.class,
              Adam::getLearningRateSchedule,
              u -> numbers(u.getLearningRate(), u.getBeta1(), u.getBeta2(), u.getEpsilon()),
              v -> new Adam(v[0], v[1], v[2], v[3])),
          updater(
              AdaMax.class,
              AdaMax::getLearningRateSchedule,
              u -> numbers(u.getLearningRate(), u.getBeta1(), u.getBeta2(), u.getEpsilon()),
              v -> new AdaMax(v[0], v[1], v[2], v[3])),
          updater(
              AMSGrad.class,
              AMSGrad::getLearningRateSchedule,
              u -> numbers(u.getLearningRate(), u.getBeta1(), u.getBeta2(), u.getEpsilon()),
              v -> new AMSGrad(v[0], v[1], v[2], v[3])),
          updater(
              Nadam.class,
              Nadam::getLearningRateSchedule,
              u -> numbers(u.getLearningRate(), u.getBeta1(), u.getBeta2(), u.getEpsilon()),
              v -> new Nadam(v[0], v[1], v[2], v[3])),
          updater(
              Nesterovs.class,
              Nesterovs::getLearningRateSchedule,
              u -> numbers(u.getLearningRate(), u.getMomentum()),
              v -> new Nesterovs(v[0], v[1])),
          updater(
              RmsProp.class,
              RmsProp::getLearningRateSchedule,
              u -> numbers(u.getLearningRate(), u.getRmsDecay(), u.getEpsilon()),
              v -> new RmsProp(v[0], v[1], v[2])),
          updater(
              AdaGrad.class,
              AdaGrad::getLearningRateSchedule,
              u -> numbers(u.getLearningRate(), u.getEpsilon()),
              v -> new AdaGrad(v[0], v[1])),
          updater(
              AdaDelta.class,
              u -> null,
              u -> numbers(u.getRho(), u.getEpsilon()),
              v -> new AdaDelta(v[0], v[1])),
          updater(NoOp.class, u -> null, u -> numbers(), v -> new NoOp()));

  private static final List<Kind<ISchedule>> SCHEDULES =
      List.of(
          schedule(
              FixedSchedule.class,
              s -> numbers(s.getValue()),
              s -> null,
              (u, v) -> new FixedSchedule(v[0])),
          schedule(
              ExponentialSchedule.class,
              s -> numbers(s.getInitialValue(), s.getGamma()),
              ExponentialSchedule::getScheduleType,
              (u, v) -> new ExponentialSchedule(u, v[0], v[1])),
          schedule(
              InverseSchedule.class,
              s -> numbers(s.getInitialValue(), s.getGamma(), s.getPower()),
              InverseSchedule::getScheduleType,
              (u, v) -> new InverseSchedule(u, v[0], v[1], v[2])),
          schedule(
              PolySchedule.class,
              s -> numbers(s.getInitialValue(), s.getPower(), s.getMaxIter()),
              PolySchedule::getScheduleType,
              (u, v) -> new PolySchedule(u, v[0], v[1], (int) v[2])),
          schedule(
              SigmoidSchedule.class,
              s -> numbers(s.getInitialValue(), s.getGamma(), s.getStepSize()),
              SigmoidSchedule::getScheduleType,
              (u, v) -> new SigmoidSchedule(u, v[0], v[1], (int) v[2])),
          schedule(
              StepSchedule.class,
              s -> numbers(s.getInitialValue(), s.getDecayRate(), s.getStep()),
              StepSchedule::getScheduleType,
              (u, v) -> new StepSchedule(u, v[0], v[1], v[2])),
          schedule(
              MapSchedule.class,
              s -> pairs(s.getValues()),
              MapSchedule::getScheduleType,
              (u, v) -> new MapSchedule(u, map(v))));

  private UpdaterFormat() {}

  private static <U extends IUpdater> Kind<IUpdater> updater(
      Class<U> type,
      Function<U, ISchedule> schedule,
      Function<U, double[]> values,
      Function<double[], U> create) {
    return new Kind<>(
        type,
        u -> values.apply(type.cast(u)),
        u -> null,
        (unit, v) -> create.apply(v),
        u -> schedule.apply(type.cast(u)));
  }

  private static <S extends ISchedule> Kind<ISchedule> schedule(
      Class<S> type,
      Function<S, double[]> values,
      Function<S, ScheduleType> unit,
      BiFunction<ScheduleType, double[], ISchedule> create) {
    return new Kind<>(
        type, s -> values.apply(type.cast(s)), s -> unit.apply(type.cast(s)), create, s -> null);
  }

  private static double[] numbers(double... values) {
    return values;
  }

  /** Key, value, key, value. */
  private static double[] pairs(Map<Integer, Double> values) {
    return new TreeMap<>(values)
        .entrySet().stream()
            .flatMapToDouble(entry -> DoubleStream.of(entry.getKey(), entry.getValue()))
            .toArray();
  }

  private static Map<Integer, Double> map(double[] pairs) {
    Map<Integer, Double> map = new TreeMap<>();
    for (int i = 0; i + 1 < pairs.length; i += 2) {
      map.put((int) pairs[i], pairs[i + 1]);
    }
    return map;
  }

  /**
   * Takes the updater of an optimiser apart.
   *
   * @param optimizer made from one of ND4J's updaters
   * @return what {@link #optimizer} makes it from again
   * @throws IllegalArgumentException if a state file cannot hold it; names it
   */
  public static Entry of(WeightOptimizer optimizer) {
    IUpdater updater = optimizer.updater();
    Kind<IUpdater> kind = kind(UPDATERS, updater);
    ISchedule schedule = kind.schedule().apply(updater);
    Entry entry =
        new Entry(
            updater.getClass().getSimpleName(),
            kind.values().apply(updater),
            schedule == null ? null : schedule(schedule));
    if (!updater(entry).equals(updater)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "lossWeightUpdater (%s) has settings that a state file cannot hold. Leave out the schedule of the momentum",
              updater));
    }
    return entry;
  }

  private static Schedule schedule(ISchedule schedule) {
    Kind<ISchedule> kind = kind(SCHEDULES, schedule);
    return new Schedule(
        schedule.getClass().getSimpleName(),
        Unit.of(kind.unit().apply(schedule)),
        kind.values().apply(schedule));
  }

  private static <V> Kind<V> kind(List<Kind<V>> kinds, V value) {
    return kinds.stream()
        .filter(kind -> kind.type() == value.getClass())
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    String.format(
                        Locale.ROOT,
                        "%s cannot be put into a state file. Use one of %s",
                        value,
                        kinds.stream().map(kind -> kind.type().getSimpleName()).toList())));
  }

  /**
   * Puts an optimiser together.
   *
   * @param entry from a file
   * @return an optimiser
   * @throws IllegalArgumentException if the entry is of none, or its numbers are impossible
   */
  public static WeightOptimizer optimizer(Entry entry) {
    return WeightOptimizer.of(updater(entry));
  }

  private static IUpdater updater(Entry entry) {
    IUpdater updater = create(UPDATERS, entry.kind(), null, entry.values());
    Schedule schedule = entry.schedule();
    if (schedule != null) {
      if (!updater.hasLearningRate()) {
        throw new IllegalArgumentException("'" + entry.kind() + "' cannot have a schedule");
      }
      updater.setLrAndSchedule(
          entry.values()[0],
          create(SCHEDULES, schedule.kind(), schedule.unit().type, schedule.values()));
    }
    return updater;
  }

  private static <V> V create(
      List<Kind<V>> kinds, String name, ScheduleType unit, double[] values) {
    for (Kind<V> kind : kinds) {
      if (kind.type().getSimpleName().equals(name)) {
        try {
          V value = kind.create().apply(unit, values);
          boolean complete = Arrays.equals(kind.values().apply(value), values);
          if (complete && kind.unit().apply(value) == unit) {
            return value;
          }
        } catch (RuntimeException e) { // too few values, or such as ND4J refuses
          throw new IllegalArgumentException("impossible values of '" + name + "'", e);
        }
        throw new IllegalArgumentException("impossible values of '" + name + "'");
      }
    }
    throw new IllegalArgumentException("'" + name + "' is not known here");
  }
}
