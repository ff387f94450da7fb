package org.gradnorm4j.ui;

import com.google.gson.Gson;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.deeplearning4j.core.storage.StatsStorage;
import org.deeplearning4j.core.storage.StatsStorageEvent;
import org.deeplearning4j.ui.VertxUIServer;
import org.deeplearning4j.ui.api.HttpMethod;
import org.deeplearning4j.ui.api.I18N;
import org.deeplearning4j.ui.api.Route;
import org.deeplearning4j.ui.api.UIModule;
import org.deeplearning4j.ui.i18n.I18NProvider;
import org.deeplearning4j.ui.i18n.I18NResource;
import org.gradnorm4j.history.History;
import org.gradnorm4j.report.Report;

/**
 * The page {@code /gradnorm} of Deeplearning4j's UI server: what {@link Report} shows, of every run
 * in the attached storages, kept up to date while it trains. The server finds it by itself when
 * this library is on the class path.
 *
 * <p>Answers requests from this machine only, and only such that ask for {@code localhost} or one
 * of its addresses: a foreign name, of a site that has it lead here or of a proxy, is refused. The
 * server itself listens on all interfaces, which Deeplearning4j has no setting for; start Java with
 * {@code -Dorg.gradnorm4j.ui.remote=true} to be answered from elsewhere too.
 *
 * <p>The training pages get a link here as long as their language is the default, English.
 */
public final class LossBalancerModule implements UIModule {
  /** System property that, if true, lets other machines see the page. */
  public static final String REMOTE_PROPERTY = "org.gradnorm4j.ui.remote";

  /** The pages' texts have no place for another link. This language is English, and has it. */
  private static final String ENGLISH = "en";

  private static final String ENGLISH_WITH_LINK = "gradnorm";

  private static final Gson GSON = new Gson();

  private final Runs runs = new Runs();

  /** For the server. */
  public LossBalancerModule() {}

  @Override
  public List<String> getCallbackTypeIDs() {
    return List.of(LossBalancerRecord.TYPE_ID);
  }

  @Override
  public List<Route> getRoutes() {
    link(I18NProvider.getInstance());
    return List.of(
        route("/gradnorm", this::page),
        route("/gradnorm/runs", this::list),
        route("/gradnorm/content", this::content));
  }

  private static Route route(String path, Consumer<RoutingContext> handler) {
    return new Route(
        path,
        HttpMethod.GET,
        (parameters, request) -> {
          if (isAllowed(request)) {
            request.response().putHeader("cache-control", "no-store");
            handler.accept(request);
          } else {
            request
                .response()
                .setStatusCode(403)
                .end(
                    "Only for this machine, as http://localhost. Start Java with -D"
                        + REMOTE_PROPERTY
                        + "=true to open it to others");
          }
        });
  }

  /**
   * From this machine, and asking for it by its own name. Else the page of a foreign site, open in
   * a browser here, could read ours: its name may lead to any address, this machine's too.
   */
  private static boolean isAllowed(RoutingContext request) {
    return Boolean.getBoolean(REMOTE_PROPERTY)
        || (Loopback.isAddress(request.request().remoteAddress().host())
            && Loopback.isHost(request.request().host())
            && request.request().headers().getAll("x-forwarded-host").stream()
                .allMatch(Loopback::isHost));
  }

  private void page(RoutingContext request) {
    boolean multiSession = VertxUIServer.getInstance().isMultiSession();
    html(
        request,
        resource("page.html")
            .replace("{{style}}", Report.style())
            .replace("{{overview}}", multiSession ? "/train" : "/train/overview"));
  }

  private void list(RoutingContext request) {
    request
        .response()
        .putHeader("content-type", "application/json; charset=utf-8")
        .end(GSON.toJson(runs.choices()));
  }

  /** Drawing takes its time: not on the thread that serves all requests. */
  private void content(RoutingContext request) {
    Optional<History> history =
        Optional.ofNullable(request.request().getParam("run")).flatMap(runs::history);
    if (history.isEmpty()) {
      request.response().setStatusCode(404).end("no such run");
    } else if (Long.toString(history.get().steps()).equals(request.request().getParam("shown"))) {
      request.response().setStatusCode(204).end();
    } else {
      request
          .vertx()
          .<String>executeBlocking(
              drawn -> drawn.complete(Report.of(history.get()).content()),
              false,
              drawn -> {
                if (drawn.succeeded()) {
                  html(request, drawn.result());
                } else {
                  request.fail(drawn.cause());
                }
              });
    }
  }

  private static void html(RoutingContext request, String html) {
    request.response().putHeader("content-type", "text/html; charset=utf-8").end(html);
  }

  private static String resource(String name) {
    try (InputStream in = LossBalancerModule.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void reportStorageEvents(Collection<StatsStorageEvent> events) {
    for (StatsStorageEvent event : events) {
      link(I18NProvider.getInstance(event.getSessionID()));
      runs.read(
          event.getStatsStorage(), event.getSessionID(), event.getWorkerID(), event.getTimestamp());
    }
  }

  @Override
  public void onAttach(StatsStorage storage) {
    runs.attach(storage);
    storage.listSessionIDs().forEach(session -> link(I18NProvider.getInstance(session)));
  }

  @Override
  public void onDetach(StatsStorage storage) {
    runs.detach(storage);
  }

  private static void link(I18N texts) {
    if (texts.getDefaultLanguage().equals(ENGLISH)) {
      texts.setDefaultLanguage(ENGLISH_WITH_LINK);
    }
  }

  @Override
  public List<I18NResource> getInternationalizationResources() {
    return List.of(new I18NResource("gradnorm_i18n/train." + ENGLISH_WITH_LINK));
  }
}
