import ArgumentParser

/// Takes a file that was named without `--database`, to say so.
struct MisplacedFile: ParsableArguments {
  @Argument(help: .hidden)
  var misplaced: [String] = []

  func validate() throws {
    guard let file = misplaced.first else { return }
    throw ValidationError("name the file with --database \(ShellWord.quoted(file))")
  }
}
