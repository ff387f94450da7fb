package org.gradnorm4j.examples;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.gradnorm4j.gradnorm.GradNorm;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** What all commands do: check the options, train once per balancer, write the files, compare. */
abstract class TrainingCommand implements Callable<Integer> {
  @Spec CommandSpec spec;
  @Mixin final TrainingOptions options;

  TrainingCommand(TrainingOptions options) {
    this.options = options;
  }

  /** Checks the command's own options. */
  abstract void check();

  /** Reads or makes the data. */
  abstract Problem problem() throws IOException;

  abstract Schedule schedule(Problem problem);

  @Override
  public final Integer call() throws IOException {
    options.check();
    check();
    RunFiles files = options.createFiles();
    PrintWriter out = spec.commandLine().getOut();
    Problem problem = problem();
    Schedule schedule = schedule(problem);
    out.printf(
        "%s: %d training and %d test examples, tasks %s%n",
        spec.name(), problem.train().size(), problem.test().size(), problem.taskNames());
    Trainer trainer = new Trainer(problem, schedule, options.seed(), out);
    List<RunSummary> runs = new ArrayList<>();
    List<Path> written = new ArrayList<>();
    boolean several = options.balancers().size() > 1;
    for (Balancer balancer : options.balancers()) {
      out.println(balancer);
      GradNorm gradNorm = options.gradNorm(balancer);
      Trainer.Result result = trainer.train(gradNorm);
      runs.add(summary(balancer, gradNorm, result, problem, schedule));
      written.add(files.writeHistory(gradNorm.history(), balancer, several));
    }
    written.add(files.writeSummary(runs));
    ComparisonTable.print(runs, out);
    out.println("written: " + written);
    return 0;
  }

  private RunSummary summary(
      Balancer balancer,
      GradNorm gradNorm,
      Trainer.Result result,
      Problem problem,
      Schedule schedule) {
    return new RunSummary(
        spec.name(),
        balancer.toString(),
        options.seed(),
        options.alpha(balancer),
        schedule.steps(),
        result.seconds(),
        RunSummary.tasks(problem.taskNames(), gradNorm, result),
        RunSummary.finite(result.test().normalizedLoss(result.initialTest())));
  }
}
