/// A file of the console in the browser. All of them are compiled into the program, so that it runs without any beside it.
public struct ConsoleFile: Sendable {
  public let name: String
  public let contentType: String
  public let bytes: [UInt8]

  private init(_ name: String, _ contentType: String, _ bytes: [UInt8]) {
    self.name = name
    self.contentType = contentType
    self.bytes = bytes
  }

  public static let all = pages + styles + scripts

  private static let pages = [
    ConsoleFile("index.html", "text/html; charset=utf-8", PackageResources.index_html),
    ConsoleFile("icon.svg", "image/svg+xml", PackageResources.icon_svg),
  ]

  private static let styles = [
    ("base.css", PackageResources.base_css), ("layout.css", PackageResources.layout_css),
    ("screens.css", PackageResources.screens_css),
  ].map { ConsoleFile($0, "text/css; charset=utf-8", $1) }

  private static let scripts = [
    ("access.js", PackageResources.access_js), ("api.js", PackageResources.api_js),
    ("backups.js", PackageResources.backups_js), ("census.js", PackageResources.census_js),
    ("chart.js", PackageResources.chart_js), ("collections.js", PackageResources.collections_js),
    ("conflict.js", PackageResources.conflict_js), ("create.js", PackageResources.create_js),
    ("diff.js", PackageResources.diff_js), ("document.js", PackageResources.document_js),
    ("documents.js", PackageResources.documents_js), ("dom.js", PackageResources.dom_js),
    ("editing.js", PackageResources.editing_js), ("editor.js", PackageResources.editor_js),
    ("filter.js", PackageResources.filter_js), ("format.js", PackageResources.format_js),
    ("history.js", PackageResources.history_js), ("json.js", PackageResources.json_js),
    ("live.js", PackageResources.live_js), ("main.js", PackageResources.main_js),
    ("notices.js", PackageResources.notices_js), ("paths.js", PackageResources.paths_js),
    ("rail.js", PackageResources.rail_js), ("reading.js", PackageResources.reading_js),
    ("server.js", PackageResources.server_js), ("settings.js", PackageResources.settings_js),
    ("signin.js", PackageResources.signin_js), ("source.js", PackageResources.source_js),
    ("table.js", PackageResources.table_js), ("theme.js", PackageResources.theme_js),
    ("tokens.js", PackageResources.tokens_js), ("trail.js", PackageResources.trail_js),
  ].map { ConsoleFile($0, "text/javascript; charset=utf-8", $1) }
}
