//! The `pagerace` program: the command line for the subject `mm`.

fn main() -> std::process::ExitCode {
    pagerace::cli::main::<pagerace::subject::mm::MmSubject>()
}
