package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;

/** The command line: {@code java -jar examples.jar COMMAND}. */
@Command(
    name = "examples",
    description = "Trains networks on several losses, with fixed loss weights and with GradNorm.",
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      MultiMnistCommand.class,
      ToyCommand.class,
      CompositeCommand.class,
      CsvCommand.class
    })
public final class Examples {
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show this help and exit.")
  @SuppressWarnings("UnusedVariable") // picocli reads it
  private boolean help;

  private Examples() {}

  /**
   * Runs a command and ends the JVM: exit code 0 if it succeeded, 2 if an option was wrong, 1 if
   * anything else was.
   *
   * @param args the command and its options; not modified
   */
  public static void main(String[] args) {
    System.setProperty("org.nd4j.log.initialization", "false"); // before ND4J loads
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    return new CommandLine(new Examples())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .registerConverter(String.class, Examples::plain)
        .setParameterExceptionHandler(Examples::onBadOption)
        .setExecutionExceptionHandler(Examples::onFailure);
  }

  /** Without space around it, nor the quotes that keep a comma in it from dividing it. */
  private static String plain(String text) {
    String name = text.strip();
    boolean quoted = name.length() > 2 && name.startsWith("\"") && name.endsWith("\"");
    return quoted ? name.substring(1, name.length() - 1).strip() : name;
  }

  private static int onBadOption(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    Console.print(
        String.format(Locale.ROOT, "%s (all options: %s --help)", e.getMessage(), name),
        command.getErr());
    return command.getCommandSpec().exitCodeOnInvalidInput();
  }

  /** A file or a training run that went wrong is told in a sentence; anything else is a defect. */
  private static int onFailure(Exception e, CommandLine command, ParseResult parsed)
      throws Exception {
    if (e instanceof IOException || e instanceof IllegalStateException) {
      Console.print(message(e), command.getErr());
      return command.getCommandSpec().exitCodeOnExecutionException();
    }
    throw e;
  }

  /** Of some errors of the file system, Java's message is the file alone. */
  private static String message(Exception e) {
    return e instanceof FileSystemException file && file.getReason() == null
        ? String.format(
            Locale.ROOT,
            "%s: %s. Check the path and its permissions",
            file.getFile(),
            e.getClass().getSimpleName())
        : e.getMessage();
  }
}
