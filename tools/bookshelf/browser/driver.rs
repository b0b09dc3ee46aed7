//! One headless Chromium for all tests, driven by WebDriver, in which each test has a tab of its own.

use std::process::Command;
use std::time::Duration;

use fantoccini::wd::{Capabilities, TimeoutConfiguration, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use harness::started::RunningProgram;
use hyper::http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use nix::sys::signal::Signal;
use nix::unistd::Uid;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use url::Url;

/// A name that the browser, and nobody else, takes for 127.0.0.1: what a site has done whose owner rebinds it.
pub(crate) const REBOUND: &str = "rebound.test";

/// How long a page may take for anything, a lab being compiled included.
const PATIENCE: Duration = Duration::from_secs(180);

/// The browser, and chromedriver between us and it.
#[derive(Debug)]
pub(crate) struct Browser {
    runtime: Runtime,
    client: Client,
    driver: RunningProgram,
    /// All that the browser writes.
    _profile: tempfile::TempDir,
}

/// Something that WebDriver has no command for: chromedriver's own.
#[derive(Debug)]
struct Own {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Own {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

impl Browser {
    pub(crate) fn start() -> Browser {
        let profile = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("chromedriver");
        // Not even by way of a proxy does anything leave this machine.
        for variable in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(variable);
        }
        command.arg("--port=0").env("HOME", profile.path()).env("TMPDIR", profile.path());
        let driver = RunningProgram::new(command);
        let port = driver.wait_for_output_after("ChromeDriver was started successfully on port ");
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let address = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
        let client = runtime.block_on(async {
            let client =
                ClientBuilder::new(HttpConnector::new()).capabilities(capabilities(&profile)).connect(&address).await;
            let client = client.expect("a browser");
            let patience = TimeoutConfiguration::new(Some(PATIENCE), Some(PATIENCE), Some(Duration::ZERO));
            client.update_timeouts(patience).await.expect("limits of time");
            client
        });
        Browser { runtime, client, driver, _profile: profile }
    }

    /// Ends it; nothing of it may be left.
    pub(crate) fn end(self) {
        let Browser { runtime, client, driver, _profile } = self;
        runtime.block_on(client.close()).expect("the browser ends");
        driver.signal_group(Signal::SIGTERM);
        let (_, _, mark) = driver.end();
        assert_eq!(mark.leftovers(), [""; 0], "of the browser");
    }
}

fn capabilities(profile: &tempfile::TempDir) -> Capabilities {
    let mut arguments = vec![
        "--headless=new".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--disable-sync".to_owned(),
        "--no-first-run".to_owned(),
        "--no-proxy-server".to_owned(),
        "--window-size=1280,900".to_owned(),
        format!("--user-data-dir={}", profile.path().join("profile").display()),
        // Whatever else it may want to look up, it does not find.
        format!("--host-resolver-rules=MAP {REBOUND} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
    ];
    if Uid::effective().is_root() {
        // The browser's sandbox refuses to work for root.
        arguments.push("--no-sandbox".to_owned());
    }
    let capabilities = json!({
        "goog:chromeOptions": { "args": arguments },
        "goog:loggingPrefs": { "performance": "ALL", "browser": "ALL" },
    });
    capabilities.as_object().expect("an object").clone()
}

/// Runs a test in a tab of its own. Whatever it did, no request may have left this machine.
pub(crate) fn in_a_tab(browser: &Browser, test: impl FnOnce(&Tab)) {
    let tab = Tab { browser };
    let before = tab.block(|client| async move {
        let before = client.window().await?;
        let opened = client.new_window(true).await?;
        client.switch_to_window(opened.handle).await?;
        Ok(before)
    });
    tab.requests();
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        test(&tab);
        let away: Vec<String> = tab.requests().into_iter().filter(|url| !stays_here(url)).collect();
        assert_eq!(away, [""; 0], "requests that leave this machine");
    }));
    tab.block(|client| async move {
        client.close_window().await?;
        client.switch_to_window(before).await
    });
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Whether a request for this address is one to this machine.
pub(crate) fn stays_here(url: &str) -> bool {
    let url = Url::parse(url).expect("the URL of a request");
    match url.scheme() {
        "http" => matches!(url.host_str(), Some("127.0.0.1" | REBOUND)),
        "ws" | "wss" | "https" | "ftp" => false,
        // data:, blob:, about: and chrome: name nothing elsewhere.
        _ => true,
    }
}

/// A tab of the browser, the only one in front.
pub(crate) struct Tab<'a> {
    browser: &'a Browser,
}

impl Tab<'_> {
    fn block<T, F>(&self, work: impl FnOnce(Client) -> F) -> T
    where
        F: Future<Output = Result<T, fantoccini::error::CmdError>>,
    {
        let done = self.browser.runtime.block_on(work(self.browser.client.clone()));
        done.unwrap_or_else(|error| panic!("the browser: {error}"))
    }

    pub(crate) fn open(&self, url: &str) {
        self.block(|client| async move { client.goto(url).await });
    }

    /// What a script returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.block(|client| async move { client.execute(script, Vec::new()).await })
    }

    /// The same for a promise.
    pub(crate) fn promised(&self, promise: &str) -> Value {
        let script =
            format!("const done = arguments[0]; ({promise}).then(done, (error) => done({{ failed: String(error) }}));");
        self.block(|client| async move { client.execute_async(&script, Vec::new()).await })
    }

    /// Waits until `expression` is true, and gives its value. It is looked at before each frame that the browser draws, also of a page that
    /// takes the place of this one.
    pub(crate) fn until(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[0];
             const look = () => {{
                 const value = ({expression});
                 if (value) done(value); else requestAnimationFrame(look);
             }};
             look();"
        );
        loop {
            match self.browser.runtime.block_on(self.browser.client.execute_async(&script, Vec::new())) {
                Ok(value) => return value,
                // The page was loaded again: it is looked at again.
                Err(error) if error.to_string().contains("document unloaded") => {}
                Err(error) => {
                    let page = self.run("return document.body.innerText.slice(0, 3000)");
                    panic!("never came true: {expression}\n{error}\nconsole: {:?}\npage: {page}", self.console());
                }
            }
        }
    }

    /// The text of what `selector` finds first.
    pub(crate) fn text(&self, selector: &str) -> String {
        let text = self.run(&format!("return document.querySelector({selector:?})?.innerText ?? null"));
        text.as_str().unwrap_or_else(|| panic!("nothing is {selector}")).to_owned()
    }

    /// Clicks as a person does: the element must be visible, and nothing may lie over it.
    pub(crate) fn click(&self, selector: &str) {
        self.block(|client| async move { client.find(Locator::Css(selector)).await?.click().await });
    }

    /// Types into what `selector` finds.
    pub(crate) fn types(&self, selector: &str, text: &str) {
        self.block(|client| async move { client.find(Locator::Css(selector)).await?.send_keys(text).await });
    }

    /// A command of the DevTools protocol.
    pub(crate) fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.block(|client| async move { client.issue_cmd(Own { path: "goog/cdp/execute", body }).await })
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        let body = json!({ "type": kind });
        let log = self.block(|client| async move { client.issue_cmd(Own { path: "se/log", body }).await });
        log.as_array().cloned().unwrap_or_default()
    }

    /// What the console has said since it was last asked.
    pub(crate) fn console(&self) -> Vec<String> {
        let said = self.log("browser").into_iter();
        said.filter_map(|entry| Some(format!("{}: {}", entry["level"].as_str()?, entry["message"].as_str()?))).collect()
    }

    /// The addresses of all requests since it was last asked.
    pub(crate) fn requests(&self) -> Vec<String> {
        let events = self.log("performance").into_iter().filter_map(|entry| {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            Some(event["message"].clone())
        });
        let url = |event: Value| match event["method"].as_str()? {
            "Network.requestWillBeSent" => event["params"]["request"]["url"].as_str().map(str::to_owned),
            "Network.webSocketCreated" => event["params"]["url"].as_str().map(str::to_owned),
            _ => None,
        };
        events.filter_map(url).collect()
    }
}
