"""The ways to a cluster: kubeconfig files, contexts and their credentials, and the pod the program runs in."""

import base64
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aws_ecr_gc.discovery.kubernetes import read_context, read_in_cluster
from aws_ecr_gc.errors import Misuse, SourceFailure
from aws_ecr_gc.usage import Origin, Use
from tests.discovery.kubernetes import certificates
from tests.discovery.kubernetes.certificates import Certificates
from tests.discovery.kubernetes.conftest import ORIGIN, Kubeconfig
from tests.discovery.kubernetes.manifests import deployment, image
from tests.discovery.kubernetes.standin import Standin


def data(path: Path) -> str:
    """A file as kubeconfigs hold it."""
    return base64.b64encode(path.read_bytes()).decode()


def secure(given: Certificates) -> Standin:
    """A stand-in that speaks TLS."""
    return Standin((given.certificate, given.key))


def workloads(uses: list[Use]) -> set[str]:
    return {use.workload for use in uses}


def whole(context: str, path: str) -> list[Use]:
    return list(read_context(context, path, ORIGIN))


def test_the_token_of_the_kubeconfig_is_sent_with_every_request(standin: Standin, kubeconfig: Kubeconfig) -> None:
    list(read_context("prod", kubeconfig(), ORIGIN))
    assert {request.authorization for request in standin.requests} == {"Bearer of-the-kubeconfig"}


def test_a_token_in_a_file_may_end_with_a_line_break(standin: Standin, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-a-file\n")
    list(read_context("prod", kubeconfig({"tokenFile": "token"}), ORIGIN))
    assert {request.authorization for request in standin.requests} == {"Bearer of-a-file"}


def test_a_token_with_a_line_break_inside_is_an_error_that_does_not_show_it(kubeconfig: Kubeconfig) -> None:
    with pytest.raises(SourceFailure, match="line break") as caught:
        list(read_context("prod", kubeconfig({"token": "hush\nhush"}), ORIGIN))
    assert "hush" not in str(caught.value)


def test_without_a_name_the_current_context_is_read(standin: Standin, kubeconfig: Kubeconfig) -> None:
    standin.add(deployment("web", image("web:1")))
    assert workloads(list(read_context(None, kubeconfig(), ORIGIN))) == {"prod/shop/deployment/web"}


def test_without_a_path_the_files_of_the_environment_are_read_together(
    standin: Standin, kubeconfig: Kubeconfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.add(deployment("web", image("web:1")))
    first = tmp_path / "first"
    Path(kubeconfig(prod="http://127.0.0.1:1")).rename(first)
    second = kubeconfig(staging=standin.url)
    monkeypatch.setenv("KUBECONFIG", f"{first}:{tmp_path / 'missing'}:{second}")
    assert workloads(list(read_context("staging", None, ORIGIN))) == {"staging/shop/deployment/web"}


def test_without_a_path_and_an_environment_the_file_of_the_home_is_read(
    standin: Standin, kubeconfig: Kubeconfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    standin.add(deployment("web", image("web:1")))
    (tmp_path / ".kube").mkdir()
    Path(kubeconfig()).rename(tmp_path / ".kube" / "config")
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert workloads(list(read_context(None, None, ORIGIN))) == {"prod/shop/deployment/web"}


def test_a_context_that_is_not_there_is_named(kubeconfig: Kubeconfig) -> None:
    with pytest.raises(Misuse, match=r"kubeconfig .*, context tset: .*tset"):
        list(read_context("tset", kubeconfig(), ORIGIN))


@pytest.mark.parametrize("text", ["", "a: [", "[]", "{}", '{"contexts": null, "current-context": "prod"}'])
def test_a_file_that_is_no_kubeconfig_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(Misuse, match=f"kubeconfig {path}"):
        list(read_context("prod", str(path), ORIGIN))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match=f"kubeconfig {tmp_path}/missing"):
        list(read_context("prod", str(tmp_path / "missing"), ORIGIN))


def test_a_server_that_is_not_there_is_an_error(kubeconfig: Kubeconfig) -> None:
    with Standin() as gone:
        url = gone.url
    with pytest.raises(SourceFailure, match=f"{url} can't be reached"):
        list(read_context("prod", kubeconfig(prod=url), ORIGIN))


def plug_in(tmp_path: Path, script: str) -> dict[str, object]:
    """A user with a credential plug-in."""
    path = tmp_path / "plug-in"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": str(path)}}


def test_a_credential_plug_in_gives_the_token(standin: Standin, kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "kind": "ExecCredential",
        "status": {"token": "of-a-plug-in"},
    }
    list(read_context("prod", kubeconfig(plug_in(tmp_path, f"echo '{json.dumps(credential)}'")), ORIGIN))
    assert {request.authorization for request in standin.requests} == {"Bearer of-a-plug-in"}


def test_a_credential_plug_in_that_fails_is_an_error_and_nothing_is_asked_without_credentials(
    standin: Standin, kubeconfig: Kubeconfig, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Misuse, match=r"context prod: exec: process returned 1\. session expired"):
        list(read_context("prod", kubeconfig(plug_in(tmp_path, "echo session expired >&2; exit 1")), ORIGIN))
    assert standin.requests == []
    assert capfd.readouterr() == ("", "")


def test_contexts_read_at_the_same_time_have_nothing_in_common(kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    names = [f"cluster-{number}" for number in range(8)]
    given = {name: certificates.made(tmp_path / name) for name in names}
    running = {name: secure(given[name]) for name in names}
    for name, server in running.items():
        server.add(deployment(name, image("web:1")))
        server.__enter__()
    try:
        path = kubeconfig(
            **{
                name: {"server": running[name].url, "certificate-authority-data": data(given[name].authority)}
                for name in names
            }
        )
        with ThreadPoolExecutor(len(names)) as pool:
            read = {name: pool.submit(whole, name, path) for name in names}
        assert {name: workloads(uses.result()) for name, uses in read.items()} == {
            name: {f"{name}/shop/deployment/{name}"} for name in names
        }
    finally:
        for server in running.values():
            server.__exit__()


def test_a_server_with_a_certificate_of_another_authority_is_not_read(kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    given, other = certificates.made(tmp_path / "given"), certificates.made(tmp_path / "other")
    with secure(given) as server:
        cluster = {"server": server.url, "certificate-authority": str(other.authority)}
        with pytest.raises(SourceFailure, match=r"can't be reached: .*CERTIFICATE_VERIFY_FAILED"):
            list(read_context("prod", kubeconfig(prod=cluster), ORIGIN))
        assert server.requests == []


def test_verification_is_left_out_only_where_the_kubeconfig_says_so(kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    with secure(certificates.made(tmp_path / "given")) as server:
        cluster = {"server": server.url, "insecure-skip-tls-verify": True}
        assert list(read_context("prod", kubeconfig(prod=cluster), ORIGIN)) == []
        with pytest.raises(SourceFailure, match="CERTIFICATE_VERIFY_FAILED"):
            list(read_context("prod", kubeconfig(prod=server.url), ORIGIN))


@pytest.fixture
def service_account(tmp_path: Path) -> Path:
    """The directory that Kubernetes mounts in a pod; the key lies beside it."""
    given = certificates.made(tmp_path / "account")
    (given.authority.parent / "token").write_text("of-the-pod")
    return given.authority.parent


def test_in_a_pod_the_service_account_reads_the_cluster_around(
    service_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = Origin("kubernetes", name="in-cluster")
    with Standin((service_account / "server.crt", service_account / "server.key")) as around:
        around.add(deployment("web", image("web:1")))
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(around.port))
        found = list(read_in_cluster(origin, account=service_account))
    assert [str(use) for use in found] == ["kubernetes:in-cluster/shop/deployment/web"]
    assert {request.authorization.lower() for request in around.requests if request.authorization} == {
        "bearer of-the-pod"
    }


def test_outside_of_a_pod_there_is_no_cluster_around(
    service_account: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = Origin("kubernetes", name="in-cluster")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(Misuse, match="in-cluster configuration"):
        list(read_in_cluster(origin, account=service_account))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with pytest.raises(Misuse, match=r"in-cluster configuration.*token"):
        list(read_in_cluster(origin, account=tmp_path))


def test_without_the_client_library_the_line_says_how_to_install_it(kubeconfig: Kubeconfig, tmp_path: Path) -> None:
    absent = tmp_path / "absent" / "kubernetes"
    absent.mkdir(parents=True)
    (absent / "__init__.py").write_text("raise ModuleNotFoundError('No module named kubernetes')")
    script = (
        f"import sys; sys.path.insert(0, {str(absent.parent)!r})\n"
        "from aws_ecr_gc.discovery.kubernetes import read_context\n"
        "from aws_ecr_gc.errors import Misuse\n"
        "from aws_ecr_gc.usage import Origin\n"
        f"try: list(read_context('prod', {kubeconfig()!r}, Origin('kubernetes')))\n"
        "except Misuse as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "pip install 'aws-ecr-gc[kubernetes]'" in done.stdout


def test_the_client_library_is_loaded_only_when_a_cluster_is_read() -> None:
    script = "import sys, aws_ecr_gc.discovery.kubernetes; print('kubernetes' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
