package org.gradnorm4j.examples;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine;

/**
 * A command run in this JVM: its exit code and what it printed.
 *
 * @param err each message in one line, however it was broken
 */
record CommandRun(int exitCode, String out, String err) {

  static CommandRun of(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine command = Examples.commandLine();
    command.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    int exitCode = command.execute(args);
    return new CommandRun(exitCode, out.toString(), err.toString().replaceAll("\\R {4}", " "));
  }

  static JsonElement summary(Path folder) throws IOException {
    return JsonParser.parseString(Files.readString(folder.resolve("summary.json")));
  }
}
